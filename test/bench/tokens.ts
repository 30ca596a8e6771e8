/**
 * `npm run bench -- tokens`: what tokens cost the server: signing, verifying, and the whole call, beside the bare HMAC and
 * the bare HTTP/2 answer of the same run. All is processor time of the server alone, medians of several rounds, so that
 * other load on the machine counts little. Exits with 1 when a bar is missed.
 */
import { availableParallelism, cpus } from "node:os";
import { benchCalls } from "./token-calls.ts";
import { benchFunctions } from "./token-functions.ts";
import { benchRoundTrips } from "./token-round-trips.ts";
import { row } from "./row.ts";

export async function benchTokens(): Promise<void> {
  row(
    "machine",
    `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
  );
  const isGood = [await benchFunctions(), await benchCalls(), await benchRoundTrips()];
  if (isGood.includes(false)) process.exitCode = 1;
}
