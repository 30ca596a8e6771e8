/** The whole server as a process of its own, on PostgreSQL where there is one, with limits that no bench reaches. */
import { randomBytes } from "node:crypto";
import { toBinary, create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CreateSessionTokensRequestSchema } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { startServerProcess } from "../e2e/server-process.ts";
import type { ServerProcess } from "../e2e/server-process.ts";
import type { UnaryCall } from "./unary-load.ts";

const jwtSecret = randomBytes(48).toString("base64url");

export function startTokenServer(databaseUrl: string | undefined): Promise<ServerProcess> {
  return startServerProcess({
    script: "test/soak/server.ts",
    env: {
      JWT_SECRET: jwtSecret,
      LIVEKIT_URL: "ws://127.0.0.1:9", // nobody answers there, and minting needs nobody
      LIVEKIT_API_KEY: "devkey",
      LIVEKIT_API_SECRET: randomBytes(48).toString("base64url"),
      MAX_MINTS_PER_MINUTE: "1000000",
      MAX_VALIDATIONS_PER_MINUTE: "1000000",
      MAX_SERVICE_CALLS_PER_MINUTE: "10000000",
      MAX_CALLS_PER_ADDRESS_PER_MINUTE: "10000000",
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    },
  });
}

/** A login, another one each time. */
export function mintUserToken(userId: string): string {
  const settings = {
    secret: jwtSecret,
    issuer: "interview-backend",
    audience: "transcription-service",
    expirySeconds: 7200,
  };
  return issueUserToken({ userId, displayName: "Ada", ttlSeconds: 3600 }, settings, Date.now()).token;
}

export function createSessionTokens(
  credential: (index: number) => string,
  request: MessageInitShape<typeof CreateSessionTokensRequestSchema>,
): UnaryCall {
  return {
    path: "/parley.token.v1.TokenService/CreateSessionTokens",
    request: toBinary(
      CreateSessionTokensRequestSchema,
      create(CreateSessionTokensRequestSchema, { participantName: "Ada Lovelace", ...request }),
    ),
    credential,
  };
}
