/** What whole calls cost the server, beside a bare HTTP/2 server that answers with as many bytes. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HealthCheckRequestSchema } from "../../gen/ts/grpc/health/v1/health_pb.ts";
import {
  CreateSessionTokensResponseSchema,
  ValidateTokenRequestSchema,
} from "../../gen/ts/parley/token/v1/token_pb.ts";
import { createScratchDatabase, postgresMissing } from "../chaos/postgres.ts";
import type { ServerProcess } from "../e2e/server-process.ts";
import { cpuMicrosecondsOf } from "./cpu-cost.ts";
import { createSessionTokens, mintUserToken, startTokenServer } from "./token-server.ts";
import { row } from "./row.ts";
import { UnaryLoad } from "./unary-load.ts";
import type { UnaryCall } from "./unary-load.ts";
import { quantile } from "./word-error.ts";

const rounds = 7;
const callsInRound = 1_000;
const inFlight = 32;

/** Prints the figures. There is no bar for them. */
export async function benchCalls(): Promise<boolean> {
  const missing = await postgresMissing();
  const database = missing === undefined ? await createScratchDatabase() : undefined;
  const server = await startTokenServer(database?.url);
  try {
    row("whole calls", `${inFlight} in flight, on ${database ? "PostgreSQL" : `PGlite (${missing})`}`);
    await compare(server, await callsOf(server));
  } finally {
    await server.stop();
    await database?.drop();
  }
  return true;
}

interface NamedCall extends UnaryCall {
  readonly what: string;
}

async function callsOf(server: ServerProcess): Promise<readonly NamedCall[]> {
  const known = mintUserToken("ada");
  // Names of new rooms hold the user and the millisecond: so many at once are of as many users.
  const users = Array.from({ length: 2 * inFlight }, (_, index) => mintUserToken(`user-${index}`));
  const newRoom = createSessionTokens((index) => users[index % users.length]!, {});
  const load = new UnaryLoad(new URL(server.url).host);
  const answer = await load.run(
    createSessionTokens(() => known, {}),
    { calls: 1, inFlight: 1 },
  );
  const { roomName } = fromBinary(CreateSessionTokensResponseSchema, answer);
  load.close();
  const validate = {
    path: "/parley.token.v1.TokenService/ValidateToken",
    request: toBinary(ValidateTokenRequestSchema, create(ValidateTokenRequestSchema, { token: known })),
  };
  const manyUsers = Array.from({ length: 20_000 }, (_, index) => mintUserToken(`user-${index % 100}`));
  return [
    {
      what: "CreateSessionTokens: a service, a named room",
      ...createSessionTokens(() => server.apiKey, { roomName, participantIdentity: "ada" }),
    },
    {
      what: "CreateSessionTokens: a user, a named room",
      ...createSessionTokens(() => known, { roomName }),
    },
    { what: "CreateSessionTokens: a user, a new room", ...newRoom },
    { what: "ValidateToken: the caller is known", ...validate, credential: () => known },
    {
      what: "ValidateToken: another credential each time",
      ...validate,
      credential: (index) => manyUsers[index % manyUsers.length]!,
    },
    {
      what: "grpc.health.v1 Check: no caller, no log",
      path: "/grpc.health.v1.Health/Check",
      request: toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema)),
    },
  ];
}

/** Each takes turns with a bare answer of its size. */
async function compare(server: ServerProcess, calls: readonly NamedCall[]): Promise<void> {
  const bare = await startBareServer();
  const load = new UnaryLoad(new URL(server.url).host);
  const bareLoad = new UnaryLoad(bare.host);
  const cost = async (pid: number, to: UnaryLoad, call: UnaryCall) => {
    const before = cpuMicrosecondsOf(pid);
    await to.run(call, { calls: callsInRound, inFlight });
    return (cpuMicrosecondsOf(pid) - before) / callsInRound;
  };
  for (const call of calls) {
    const answer = await load.run(call, { calls: callsInRound, inFlight });
    const bareCall = { ...call, path: `/bare/${answer.length}` };
    await bareLoad.run(bareCall, { calls: callsInRound, inFlight });
    const costs: number[] = [];
    const bareCosts: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bareCosts.push(await cost(bare.pid, bareLoad, bareCall));
      costs.push(await cost(server.pid, load, call));
    }
    const [median, bareMedian] = [quantile(costs, 0.5), quantile(bareCosts, 0.5)];
    row(
      call.what,
      `${median.toFixed(0)} µs, ${(median / bareMedian).toFixed(1)} times the ${bareMedian.toFixed(0)} µs of a bare answer of ${answer.length} bytes`,
    );
  }
  load.close();
  bareLoad.close();
  bare.stop();
}

async function startBareServer() {
  const child = fork(join(import.meta.dirname, "bare-http2-server.ts"));
  const [port] = (await once(child, "message")) as [number];
  return { pid: child.pid!, host: `127.0.0.1:${port}`, stop: () => child.disconnect() };
}
