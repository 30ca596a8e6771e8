/** Classes 30 and 31: what was taken back, and what was used before, at every place; also when it was let in a moment ago. */
import { createClient } from "@connectrpc/connect";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RoomAccess } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenService, ValidityReason } from "../../gen/ts/parley/token/v1/token_pb.ts";
import type { RevokeTokensRequest } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { config, openRawStream } from "../e2e/raw-stream.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { room } from "./good-tokens.ts";
import { openPlaces } from "./places.ts";
import type { CredentialKind, Place } from "./places.ts";
import { openWorld } from "./world.ts";

const world = await openWorld();
const { server } = world;
const admin = createClient(TokenService, transportTo(server.url, server.apiKey));
let participantToken = "";
const places = openPlaces({ url: server.url, participantToken: () => participantToken });
const allPlaces = places.groups.flatMap((group) => group.places);

beforeAll(async () => {
  await admin.createRoom({ roomName: room, ownerUserId: "ada", access: RoomAccess.OPEN });
});
afterAll(async () => {
  places.close();
  await world.close();
});

function placesFor(kind: CredentialKind): readonly Place[] {
  return allPlaces.filter(({ kinds }) => kinds.includes(kind));
}

async function makeTokens(participantIdentity: string) {
  const made = await admin.createSessionTokens({
    roomName: room,
    participantIdentity,
    targets: [Target.TRANSCRIPTION],
  });
  const { jti: tokenId = "", fam: familyId } = decodeJwt<{ fam: string }>(made.transcriptionToken);
  return { ...made, tokenId, familyId };
}

type Made = Awaited<ReturnType<typeof makeTokens>>;

async function expectRefused(token: string, kind: CredentialKind): Promise<void> {
  for (const place of placesFor(kind)) {
    const { code, message } = await place.offer(token);
    expect({ code, message }, place.name).toEqual({ code: "unauthenticated", message: place.refusal });
  }
}

async function expectLetIn(token: string, kind: CredentialKind): Promise<void> {
  for (const place of placesFor(kind)) {
    const { code, message } = await place.offer(token);
    expect(place.welcome ?? ["ok"], `${place.name}: ${message}`).toContain(code);
  }
}

async function reasonOf(token: string): Promise<ValidityReason> {
  return (await admin.validateToken({ token })).reason;
}

describe("class 30", () => {
  test.each<[string, (made: Made) => RevokeTokensRequest["selector"], { readonly refreshToo: boolean }]>([
    ["id", ({ tokenId }) => ({ case: "tokenId", value: tokenId }), { refreshToo: false }],
    ["family", ({ familyId }) => ({ case: "tokenId", value: familyId }), { refreshToo: true }],
    ["user", () => ({ case: "userId", value: "eve" }), { refreshToo: true }],
    ["room", () => ({ case: "roomName", value: room }), { refreshToo: true }],
  ])("a token whose %s is revoked is refused everywhere at once", async (_, selector, { refreshToo }) => {
    const made = await makeTokens("eve");
    participantToken = made.transcriptionToken;
    await expectLetIn(made.transcriptionToken, "participant"); // and so is remembered
    await admin.revokeTokens({ selector: selector(made) });
    participantToken = (await makeTokens("eve")).transcriptionToken; // made later, so good
    await expectRefused(made.transcriptionToken, "participant");
    expect(await reasonOf(made.transcriptionToken)).toBe(ValidityReason.REVOKED);
    expect(await reasonOf(participantToken)).toBe(ValidityReason.OK);
    if (refreshToo) await expectRefused(made.refreshToken, "refresh");
    else await expectLetIn(made.refreshToken, "refresh");
  });

  test("a refresh token whose own id is revoked is refused, and the token that came with it is not", async () => {
    const made = await makeTokens("eve");
    participantToken = made.transcriptionToken;
    const tokenId = decodeJwt(made.refreshToken).jti ?? "";
    await admin.revokeTokens({ selector: { case: "tokenId", value: tokenId } });
    expect(await reasonOf(made.refreshToken)).toBe(ValidityReason.REVOKED);
    await expectRefused(made.refreshToken, "refresh");
    await expectLetIn(made.transcriptionToken, "participant");
  });

  test("a revoked API key is refused everywhere at once", async () => {
    const scopes = ["tokens", "rooms", "transcripts", "analysis", "stats"];
    const { key, apiKey } = await admin.createApiKey({ displayName: "k", scopes });
    await expectLetIn(key, "service");
    await admin.revokeApiKey({ apiKeyId: apiKey?.apiKeyId ?? "" });
    await expectRefused(key, "service");
  });
});

describe("class 31", () => {
  const refresh = async (refreshToken: string) => {
    const { tokens } = await admin.refreshToken({ refreshToken });
    return tokens!;
  };

  test("of many calls at once with one refresh token one wins", async () => {
    const { refreshToken } = await makeTokens("eve");
    const calls = await Promise.allSettled(Array.from({ length: 8 }, () => refresh(refreshToken)));
    const lost = calls.flatMap((call) => (call.status === "rejected" ? [String(call.reason)] : []));
    expect(lost).toEqual(Array(7).fill("ConnectError: [unauthenticated] the token is not good"));
  });

  test("a reused one revokes its family: all its tokens, and the streams that they opened; not others of the user", async () => {
    const first = await makeTokens("eve");
    const other = await makeTokens("eve");
    const second = await refresh(first.refreshToken);
    const third = await refresh(second.refreshToken);
    const stream = openRawStream(server.url, third.transcriptionToken);
    stream.send(config);
    await stream.next("sessionStarted");

    await expect(refresh(first.refreshToken)).rejects.toThrow("the token is not good");
    expect(await stream.status).toMatchObject({ details: "the token was revoked" });
    participantToken = other.transcriptionToken;
    for (const { transcriptionToken, refreshToken } of [first, second, third]) {
      await expectRefused(transcriptionToken, "participant");
      await expectRefused(refreshToken, "refresh");
    }
    await expectLetIn(other.transcriptionToken, "participant");
    await expectLetIn(other.refreshToken, "refresh");
  });

  test("a forged later generation spends nothing", async () => {
    const made = await makeTokens("eve");
    const [header = "", payload = "", signature = ""] = made.refreshToken.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as { gen: number };
    const later = Buffer.from(JSON.stringify({ ...claims, gen: 99 })).toString("base64url");
    await expectRefused(`${header}.${later}.${signature}`, "refresh");
    await expectLetIn(made.refreshToken, "refresh");
  });
});
