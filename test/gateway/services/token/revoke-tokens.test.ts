/** RevokeTokens as callers see it: who may take back what, what holds then, and what ValidateToken says of it. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  RevocationEffect,
  Target,
  TokenService,
  ValidityReason,
} from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { RevokeTokensRequest } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { livekit, startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let tokensKey: string;
beforeAll(async () => {
  server = await startInMemoryServer({ livekit });
  tokensKey = await server.service("tokens");
});
beforeEach(() => {
  server.time.nowMs += 1000;
  server.endedStreams.length = 0;
  server.removed.length = 0;
});
afterAll(() => server.close());

type Selector = RevokeTokensRequest["selector"];
const of = (kind: "tokenId" | "userId" | "roomName", value: string): Selector => ({ case: kind, value });
const as = (credential: string) => server.client(TokenService, credential);
const asUser = (userId: string) => as(server.user(userId));
const idOf = (token: string) => decodeJwt(token).jti!;
const reasonOf = async (token: string) => (await as(tokensKey).validateToken({ token })).reason;
const codeOf = async (call: Promise<unknown>) =>
  ConnectError.from(
    await call.then(
      () => expect.unreachable("it succeeded"),
      (error: unknown) => error,
    ),
  ).code;

/** What the token is worth to one who has it. */
async function isLetIn(token: string): Promise<boolean> {
  const call = server.client(AnalysisService, token).analyzeInterview({ sessionId: "none" });
  const code = await codeOf(call);
  expect([Code.NotFound, Code.Unauthenticated]).toContain(code);
  return code === Code.NotFound;
}

describe("a service with the scope takes back", () => {
  test.each(["tokenId", "userId", "roomName"] as const)("by %s", async (kind) => {
    const token = server.participant("ada", "room-1");
    const value = { tokenId: idOf(token), userId: "ada", roomName: "room-1" }[kind];
    expect(await isLetIn(token)).toBe(true);
    const answer = await as(tokensKey).revokeTokens({ selector: of(kind, value) });
    expect(await isLetIn(token)).toBe(false);
    expect(await reasonOf(token)).toBe(ValidityReason.REVOKED);
    expect(server.refused.at(-1)).toMatchObject({ code: "revoked" });
    expect(server.endedStreams).toEqual([{ [kind]: value }]);
    expect(answer.endedStreams).toBe(1);
    expect(server.removed).toEqual([{ [kind]: value }]);
    expect(answer.removedParticipants).toBe(1);
  });

  test("and what is issued a moment later is good", async () => {
    await as(tokensKey).revokeTokens({ selector: of("userId", "ada") });
    server.time.nowMs += 1;
    const { token } = await as(tokensKey).createTranscriptionToken({ participantIdentity: "ada" });
    expect(await isLetIn(token)).toBe(true);
  });
});

test("the answer says for each configured target what holds", async () => {
  const { outcomes } = await as(tokensKey).revokeTokens({ selector: of("userId", "ada") });
  expect(outcomes).toMatchObject([
    { target: Target.TRANSCRIPTION, effect: RevocationEffect.ENFORCED },
    { target: Target.LIVEKIT, effect: RevocationEffect.VALID_UNTIL_EXPIRY },
  ]);
  expect(outcomes[0]?.validUntilTime).toBeUndefined();
  expect(timestampDate(outcomes[1]!.validUntilTime!).getTime()).toBe(server.time.nowMs + 86_400_000);
  // And LiveKit's own, made a moment before, is good no longer than that.
  const { livekitExpireTime } = await asUser("ada").createSessionTokens({});
  expect(timestampDate(livekitExpireTime!).getTime()).toBeLessThan(server.time.nowMs + 86_400_000);
});

describe("a user takes back", () => {
  test("their own tokens, and keeps their login", async () => {
    const [login, hers, his] = [server.user("eve"), server.participant("eve"), server.participant("bob")];
    await as(login).revokeTokens({ selector: of("userId", "eve") });
    expect([await isLetIn(hers), await isLetIn(his)]).toEqual([false, true]);
    await as(login).createTranscriptionToken({});
  });

  test("the tokens of everybody for a room that they own", async () => {
    const { roomName } = await asUser("eve").createSessionTokens({});
    const [his, elsewhere] = [server.participant("bob", roomName), server.participant("bob", "other")];
    await asUser("eve").revokeTokens({ selector: of("roomName", roomName) });
    expect([await isLetIn(his), await isLetIn(elsewhere)]).toEqual([false, true]);
  });

  test("a single token of their own", async () => {
    const [one, two] = [server.participant("joe"), server.participant("joe")];
    await asUser("joe").revokeTokens({ selector: of("tokenId", idOf(one)) });
    expect([await isLetIn(one), await isLetIn(two)]).toEqual([false, true]);
    expect(server.endedStreams).toEqual([{ tokenId: idOf(one), userId: "joe" }]);
  });

  test("nothing of others, and does not learn whether it was there", async () => {
    const { roomName } = await asUser("eve").createSessionTokens({});
    const his = server.participant("sam", roomName);
    const kate = asUser("kate");
    expect(await codeOf(kate.revokeTokens({ selector: of("userId", "sam") }))).toBe(Code.PermissionDenied);
    const rooms = [roomName, "no-such-room"].map((name) =>
      kate.revokeTokens({ selector: of("roomName", name) }),
    );
    const errors = await Promise.all(rooms.map((call) => call.catch((error: unknown) => String(error))));
    expect(new Set(errors).size).toBe(1);
    await kate.revokeTokens({ selector: of("tokenId", idOf(his)) });
    expect(await isLetIn(his)).toBe(true);
    expect(await reasonOf(his)).toBe(ValidityReason.OK);
  });

  test("no more than 100 single tokens, and is told what to do instead", async () => {
    const max = asUser("max");
    for (let n = 0; n < 100; n++) await max.revokeTokens({ selector: of("tokenId", `id-${n}`) });
    const refused = max.revokeTokens({ selector: of("tokenId", "id-100") });
    await expect(refused).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: expect.stringContaining("send user_id to revoke all") as string,
    });
  });
});

test("nothing, or something too long, is told what to send", async () => {
  expect(await codeOf(as(tokensKey).revokeTokens({}))).toBe(Code.InvalidArgument);
  const long = as(tokensKey).revokeTokens({ selector: of("tokenId", "x".repeat(129)) });
  expect(await codeOf(long)).toBe(Code.InvalidArgument);
});
