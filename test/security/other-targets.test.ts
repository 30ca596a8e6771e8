/**
 * Class 7: each target's token at every other target, made by the server itself. Also where a careless operator has given all
 * of them one secret and one name: then only what tokens say keeps them apart.
 */
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RoomAccess } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenKind, TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { makeKey, write } from "./compact-token.ts";
import { goodToken, room } from "./good-tokens.ts";
import { openPlaces } from "./places.ts";
import type { CredentialKind, Place, Places } from "./places.ts";
import { jwtIssuer, keyFile, kids, openWorld, secrets } from "./world.ts";
import type { World, WorldOptions } from "./world.ts";

const own: () => Promise<WorldOptions> = async () => ({
  env: {
    JITSI_APP_SECRET: "",
    JITSI_PRIVATE_KEY_FILE: await keyFile(makeKey("rsa", kids.rsa)),
    JITSI_KEY_ID: kids.rsa, // as the issuers' are called
  },
});
const careless: () => Promise<WorldOptions> = async () => {
  const { jwt } = secrets;
  return {
    secrets: { jwt, previousJwt: jwt, livekit: jwt, jitsi: jwt, sfu: jwt },
    env: { LIVEKIT_API_KEY: jwtIssuer, JITSI_APP_ID: jwtIssuer },
  };
};

const targets = [
  { target: Target.LIVEKIT, kind: TokenKind.LIVEKIT },
  { target: Target.TRANSCRIPTION, kind: TokenKind.TRANSCRIPTION },
  { target: Target.JITSI, kind: TokenKind.JITSI },
  { target: Target.SFU, kind: TokenKind.SFU },
] as const;

interface MadeToken {
  readonly name: string;
  readonly token: string;
  readonly kind: TokenKind;
  /** As what a place may let it in; absent: as nothing. */
  readonly as?: CredentialKind;
}

describe.each([
  ["with secrets of their own, and a key pair for Jitsi", own],
  ["with one secret and one name for all of them", careless],
])("class 7, %s", (_, options) => {
  let world: World;
  let places: Places;
  let admin: ReturnType<typeof adminOf>;

  beforeAll(async () => {
    world = await openWorld(await options());
    admin = adminOf(world);
    places = openPlaces({ url: world.server.url, participantToken });
    await admin.createRoom({ roomName: room, ownerUserId: "ada", access: RoomAccess.OPEN });
  });
  afterAll(async () => {
    places.close();
    await world.close();
  });

  const participantToken = () => write(goodToken(world, "a transcription token of the shared secret"));

  /** Fresh ones, of which the refresh token is good once. */
  async function makeTokens(): Promise<readonly MadeToken[]> {
    const made = await admin.createSessionTokens({
      roomName: room,
      participantIdentity: "ada",
      targets: targets.map(({ target }) => target),
    });
    return [
      { name: "a LiveKit token", token: made.livekitToken, kind: TokenKind.LIVEKIT },
      { name: "a Jitsi token", token: made.jitsiToken, kind: TokenKind.JITSI },
      { name: "an SFU token", token: made.sfuToken, kind: TokenKind.SFU },
      {
        name: "a transcription token",
        token: made.transcriptionToken,
        kind: TokenKind.TRANSCRIPTION,
        as: "participant",
      },
      {
        name: "a transcription token of the shared secret",
        token: participantToken(),
        kind: TokenKind.TRANSCRIPTION,
        as: "participant",
      },
      { name: "a refresh token", token: made.refreshToken, kind: TokenKind.REFRESH, as: "refresh" },
      {
        name: "a login",
        token: write(goodToken(world, "a login of the shared secret")),
        kind: TokenKind.USER,
        as: "login",
      },
    ];
  }

  test("Parley's own places let in what is theirs, and nothing else", async () => {
    // Behind all the old paths stands one gate: they take the tokens in turn elsewhere.
    for (const place of places.groups.map((group) => group.places[0]!)) {
      for (const { name, token, as } of await makeTokens()) {
        const { code, message } = await place.offer(token);
        expect(answersTo(place, as), `${name} at ${place.name}: ${message}`).toContain(code);
        if (code === "unauthenticated") expect(message).toBe(place.refusal);
      }
    }
  });

  test.each(targets)(
    "ValidateToken of target $target finds its own valid, and no other",
    async ({ target, kind }) => {
      for (const made of await makeTokens()) {
        const { valid, reason, detail } = await admin.validateToken({ token: made.token, target });
        expect({ valid, told: `${made.name}: ${reason} ${detail}` }).toMatchObject({
          valid: made.kind === kind,
        });
      }
    },
  );

  test("ValidateToken tells whose each is where no target is named", async () => {
    for (const { token, kind } of await makeTokens())
      expect(await admin.validateToken({ token })).toMatchObject({ valid: true, kind });
  });
});

function adminOf({ server }: World) {
  return createClient(TokenService, transportTo(server.url, server.apiKey));
}

function answersTo(
  { kinds, wrongKinds, welcome = ["ok"] }: Place,
  as: CredentialKind | undefined,
): readonly string[] {
  if (as === undefined) return ["unauthenticated"];
  if (kinds.includes(as)) return welcome;
  return [wrongKinds.includes(as) ? "permission_denied" : "unauthenticated"];
}
