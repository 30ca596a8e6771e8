/**
 * The fuzz target of the verifier. `fuzz` takes any bytes, as coverage-guided fuzzers for Node call it (with jazzer.js:
 * `npx jazzer test/fuzz/verify-token`), and rejects when the verifier does what it must not:
 * - accept what no good key signed, byte for byte, or what the judge beside it, with jose, refuses
 * - refuse what the judge accepts, or take its bearer for somebody else
 * - throw anything but TokenError, or take longer than a token of that length may take
 */
import { verifyOwnToken } from "../../src/token/credentials/verify-credential.ts";
import { TokenError } from "../../src/token/token-error.ts";
import { nowSeconds, settings } from "./fuzz-keys.ts";
import { makeHostileToken } from "./hostile-token.ts";
import { judgeToken } from "./judge-token.ts";
import type { ExpectedCaller } from "./judge-token.ts";

/** Gives who bears the token; throws TokenError when it is no good. */
export type Verify = (token: string) => unknown;

export const verify: Verify = (token) => verifyOwnToken(token, settings, nowSeconds * 1000);

export async function fuzz(data: Uint8Array, verifier: Verify = verify): Promise<void> {
  const { token, isSigned } = makeHostileToken(data);
  const outcome = run(token, verifier);
  const { caller, refusal } = await judgeToken(token);
  if (outcome.isAccepted) {
    if (!isSigned) throw new Finding("accepted what no good key signed", token);
    if (!caller) throw new Finding(`accepted, and should not be: ${refusal}`, token);
    const wrong = differenceOf(caller, outcome.caller);
    if (wrong !== undefined) throw new Finding(`taken for another: ${wrong}`, token);
  } else if (caller) {
    throw new Finding(`refused, and should not be: ${outcome.code}`, token);
  }
  checkWork(token, verifier, outcome.cpuUs);
}

export class Finding extends Error {
  override readonly name = "Finding";
  readonly problem: string;

  constructor(problem: string, token: string, cause?: unknown) {
    super(`${problem}: ${token.length > 2000 ? `${token.slice(0, 2000)}…` : token}`, { cause });
    this.problem = problem;
  }
}

type Outcome = { readonly cpuUs: number } & (
  | { readonly isAccepted: true; readonly caller: unknown }
  | { readonly isAccepted: false; readonly code: string }
);

function run(token: string, verifier: Verify): Outcome {
  const before = process.threadCpuUsage();
  const cpuUs = () => {
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  };
  try {
    const caller = verifier(token);
    return { isAccepted: true, caller, cpuUs: cpuUs() };
  } catch (error) {
    if (error instanceof TokenError) return { isAccepted: false, code: error.code, cpuUs: cpuUs() };
    throw new Finding(`threw ${error instanceof Error ? error.name : typeof error}`, token, error);
  }
}

const mostUs = 3000;
const mostUsPerByte = 1;
/** The collector of garbage may come in between, hardly each time. */
const attempts = 4;

function checkWork(token: string, verifier: Verify, firstCpuUs: number): void {
  const allowedUs = mostUs + mostUsPerByte * Buffer.byteLength(token);
  let cpuUs = firstCpuUs;
  for (let attempt = 1; attempt < attempts && cpuUs > allowedUs; attempt++)
    cpuUs = Math.min(cpuUs, run(token, verifier).cpuUs);
  if (cpuUs > allowedUs) throw new Finding(`takes ${cpuUs} µs, at most ${allowedUs} are right`, token);
}

/** The first member that is not as expected. */
function differenceOf({ expireTimeMs, ...expected }: ExpectedCaller, caller: unknown): string | undefined {
  const actual = caller as Readonly<Record<string, unknown>> | undefined;
  const names = [
    "kind",
    "userId",
    "roomName",
    "participantIdentity",
    "userType",
    "tokenId",
    "familyId",
  ] as const;
  const wrong = names.find((name) => actual?.[name] !== (expected as Record<string, unknown>)[name]);
  if (wrong !== undefined) return wrong;
  const { expireTime } = actual as { expireTime?: unknown };
  return expireTime instanceof Date && expireTime.getTime() === expireTimeMs ? undefined : "expireTime";
}
