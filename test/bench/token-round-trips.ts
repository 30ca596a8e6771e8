/** How often CreateSessionTokens waits for the database: not once more than a right has to be looked up, or a room made. */
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { CreateSessionTokensResponseSchema } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { createScratchDatabase, postgresMissing } from "../chaos/postgres.ts";
import type { ServerProcess } from "../e2e/server-process.ts";
import { row } from "./row.ts";
import { startStatementCounter } from "./statement-counter.ts";
import type { StatementCounter } from "./statement-counter.ts";
import { createSessionTokens, mintUserToken, startTokenServer } from "./token-server.ts";
import { UnaryLoad } from "./unary-load.ts";
import type { UnaryCall } from "./unary-load.ts";

const calls = 100;
/** Longer than an audit event waits to be written with others. */
const quietMs = 500;

/** Prints what was counted. Whether it is within the bars. */
export async function benchRoundTrips(): Promise<boolean> {
  const missing = await postgresMissing();
  if (missing !== undefined) {
    row("round trips to the database", `not counted: no PostgreSQL here (${missing})`);
    return false;
  }
  const database = await createScratchDatabase();
  const url = new URL(database.url);
  const counter = await startStatementCounter({ host: url.hostname, port: Number(url.port || 5432) });
  url.port = String(counter.port);
  const server = await startTokenServer(url.href);
  try {
    return await countEach(server, counter);
  } finally {
    await server.stop();
    counter.close();
    await database.drop();
  }
}

async function countEach(server: ServerProcess, counter: StatementCounter): Promise<boolean> {
  const load = new UnaryLoad(new URL(server.url).host);
  const user = mintUserToken("ada");
  const newRoom = createSessionTokens(() => user, {});
  const answer = await load.run(newRoom, { calls: 1, inFlight: 1 });
  const { roomName } = fromBinary(CreateSessionTokensResponseSchema, answer);
  const results = [
    await count("round trips: a service, a named room", 0, {
      call: createSessionTokens(() => server.apiKey, { roomName, participantIdentity: "ada" }),
      load,
      counter,
    }),
    await count("round trips: a user, a named room", 1, {
      call: createSessionTokens(() => user, { roomName }),
      load,
      counter,
    }),
    await count("round trips: a user, a new room", 1, { call: newRoom, load, counter }),
  ];
  load.close();
  return !results.includes(false);
}

interface Counting {
  readonly call: UnaryCall;
  readonly load: UnaryLoad;
  readonly counter: StatementCounter;
}

async function count(what: string, bar: number, { call, load, counter }: Counting): Promise<boolean> {
  await load.run(call, { calls: 1, inFlight: 1 }); // who calls is known from here on
  await sleep(quietMs);
  counter.take();
  await load.run(call, { calls, inFlight: 1 });
  await sleep(quietMs);
  const counts = [...counter.take()];
  // What is written for many calls together, as audit events are, or by the clock, comes less often than once a call.
  const ofEach = counts.filter(([, times]) => times >= calls);
  const others = counts.filter(([, times]) => times < calls).reduce((total, [, times]) => total + times, 0);
  const perCall = ofEach.reduce((total, [, times]) => total + times, 0) / calls;
  row(what, `${perCall} a call; beside them ${others} for all ${calls} calls`, `≤ ${bar}`);
  for (const [statement] of ofEach) console.log(`  ${statement.slice(0, 150)}`);
  return perCall <= bar;
}
