/** The catalogue of bad tokens at every place that takes a token. Each place is first shown to let good ones in. */
import { toJsonString } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RoomAccess } from "../../gen/ts/parley/token/v1/room_pb.ts";
import {
  AuditEventSchema,
  Target,
  TargetSchema,
  TokenKind,
  TokenService,
  ValidateTokenResponseSchema,
  ValidityReason,
  ValidityReasonSchema,
} from "../../gen/ts/parley/token/v1/token_pb.ts";
import type { AuditEvent } from "../../gen/ts/parley/token/v1/token_pb.ts";
import type { TokenErrorCode } from "../../src/token/token-error.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { canary, linesWithCanary } from "./canary.ts";
import { hmac, write } from "./compact-token.ts";
import { goodToken, goodTokenNames, room } from "./good-tokens.ts";
import { hostileClasses } from "./hostile-tokens.ts";
import type { HostileToken } from "./hostile-tokens.ts";
import { bearerPattern, maxFieldBytes, openPlaces } from "./places.ts";
import type { CredentialKind, Outcome, Place } from "./places.ts";
import { openWorld } from "./world.ts";

const world = await openWorld();
const { server, issuers, attacker } = world;
const places = openPlaces({ url: server.url, participantToken: () => write(participant()) });
const admin = createClient(TokenService, transportTo(server.url, server.apiKey));
const startedAtMs = Date.now();

beforeAll(async () => {
  await admin
    .createRoom({ roomName: room, ownerUserId: "ada", access: RoomAccess.OPEN })
    .catch(() => undefined);
});
afterAll(async () => {
  places.close();
  await world.close();
});

function answerToBad({ refusal, tooLong }: Place, token: string): Pick<Outcome, "code" | "message"> {
  return tooLong !== undefined && Buffer.byteLength(token) > maxFieldBytes
    ? { code: "invalid_argument", message: tooLong }
    : { code: "unauthenticated", message: refusal };
}

/** As an operator is told of it. What cannot stand behind Bearer is no credential. */
function reasonAsCredential({ token, why, place }: HostileToken & { readonly place: Place }): string {
  return place.travelsIn === "query" || bearerPattern.test(token) ? why : "missing";
}

function participant() {
  return goodToken(world, "a transcription token of the shared secret");
}

/** Good ones are let in where their kind is wanted, and elsewhere are good for nothing. */
function answersToGood(
  { kinds, wrongKinds, welcome = ["ok"] }: Place,
  kind: CredentialKind,
): readonly string[] {
  if (kinds.includes(kind)) return welcome;
  return [wrongKinds.includes(kind) ? "permission_denied" : "unauthenticated"];
}

/** Of what is no credential at a place it is for its own judge to say what is wrong; so it is where no issuer is known. */
function isJudgedThere(
  kind: CredentialKind,
  { place, why }: HostileToken & { readonly place: Place },
): boolean {
  const known = [...place.kinds, ...place.wrongKinds];
  return known.includes(kind) && (known.includes("issuer-login") || why !== "issuer");
}

function reasonName(code: TokenErrorCode): string {
  return code.toUpperCase().replaceAll("-", "_");
}

/** What an operator is told of credentials that were refused, since there were so many lines. */
function refusalsSince(lineCount: number): string[] {
  return server.logged
    .slice(lineCount)
    .map((line) => JSON.parse(line) as { msg: string; code: string })
    .filter(({ msg }) => msg === "credential refused")
    .map(({ code }) => code);
}

async function allAuditEvents(): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (let pageToken = ""; ;) {
    const page = await admin.listAuditEvents({ pageSize: 500, pageToken });
    events.push(...page.events);
    if (page.nextPageToken === "") return events;
    pageToken = page.nextPageToken;
  }
}

describe.each(places.groups)("$name", ({ places }) => {
  describe.each(places)("$name", (place) => {
    const answer = async (kind: CredentialKind, token: string, userId?: string) => {
      const { code, message } = await place.offer(token, userId);
      expect(answersToGood(place, kind), message).toContain(code);
    };

    test.each(goodTokenNames)("has the right answer to %s", async (name) => {
      const good = goodToken(world, name);
      await answer(good.kind, write(good), good.userId);
    });

    test.each([
      "a login of the shared secret",
      "a transcription token of the shared secret",
      "a refresh token",
    ] as const)("has the right answer to %s, if it is the secret before", async (name) => {
      const good = goodToken(world, name);
      await answer(good.kind, write({ ...good, sign: hmac(world.secrets.previousJwt) }), good.userId);
    });

    test("has the right answer to an API key", () => answer("service", server.apiKey));

    test("answers no credential like a bad one", async () => {
      const { code, message } = await place.offer(undefined);
      if (place.travelsIn !== "field") expect({ code, message }).toEqual(answerToBad(place, "x"));
      else expect(code).toBe("invalid_argument");
    });
  });

  let turn = 0;

  test.each(hostileClasses)("class $number: $title", async (hostileClass) => {
    for (const name of goodTokenNames) {
      const good = goodToken(world, name);
      const offers = (await hostileClass.make(good, world)).flatMap((hostile, index) => {
        const place = places[turn++ % places.length]!;
        // Of a kind that is no credential there at all, one token of each class is enough.
        const isEnough = index > 0 && ![...place.kinds, ...place.wrongKinds].includes(good.kind);
        return place.carries(hostile.token) && !isEnough ? [{ ...hostile, place }] : [];
      });
      const linesBefore = server.logged.length;
      const answers = await Promise.all(offers.map(({ place, token }) => place.offer(token)));
      for (const [at, { place, name: variant, token }] of offers.entries()) {
        const { code, message, received } = answers[at]!;
        expect({ code, message }, `${name}: ${variant}`).toEqual(answerToBad(place, token));
        expect(linesWithCanary([token])).toEqual([token]); // so that the next line says something
        expect(linesWithCanary([received])).toEqual([]);
      }
      const credentials = offers.filter(({ place }) => place.travelsIn !== "field");
      const reasons = refusalsSince(linesBefore).sort();
      expect(reasons, name).toHaveLength(credentials.length);
      if (credentials.every((offer) => isJudgedThere(good.kind, offer)))
        expect(reasons, name).toEqual(credentials.map(reasonAsCredential).sort());
    }
  });
});

describe("ValidateToken, asked by a good API key", () => {
  const validate = async (token: string, target: Target = Target.UNSPECIFIED) => {
    const answer = await admin.validateToken({ token, target });
    return { answer, received: toJsonString(ValidateTokenResponseSchema, answer) };
  };
  const others = [Target.LIVEKIT, Target.TRANSCRIPTION, Target.JITSI, Target.SFU] as const;

  test.each(goodTokenNames)("finds %s valid", async (name) => {
    const { answer } = await validate(write(goodToken(world, name)));
    expect(answer).toMatchObject({ valid: true, reason: ValidityReason.OK, detail: "" });
    expect(answer.claims).toMatchObject({ canary });
  });

  let turn = 0;

  test.each(hostileClasses)("class $number: $title", async (hostileClass) => {
    for (const name of goodTokenNames) {
      const hostile = (await hostileClass.make(goodToken(world, name), world)).filter(
        ({ token }) => Buffer.byteLength(token) <= maxFieldBytes && token.isWellFormed(),
      );
      await Promise.all(
        hostile.map(async ({ name: variant, token, why, isGenuine = false }) => {
          const told = `${name}: ${variant}`;
          const { answer, received } = await validate(token);
          expect(answer, told).toMatchObject({ valid: false });
          // What another kind of token is judged as is for its own judge to say.
          if (hostileClass.number === 27) expect(answer.reason, told).toBeGreaterThan(ValidityReason.OK);
          else expect(ValidityReasonSchema.value[answer.reason]?.localName, told).toBe(reasonName(why));
          expect(answer.detail, told).not.toBe("");
          if (!isGenuine) {
            expect(answer, told).toMatchObject({ kind: TokenKind.UNSPECIFIED });
            expect(answer.claims, told).toBeUndefined();
            expect(answer.expireTime, told).toBeUndefined();
            expect(linesWithCanary([received]), told).toEqual([]);
          }
          const target = others[turn++ % others.length]!;
          expect(
            (await validate(token, target)).answer,
            `${told}, at ${TargetSchema.value[target].localName}`,
          ).toMatchObject({
            valid: false,
          });
        }),
      );
    }
  });
});

describe("after all of that", () => {
  test("the attacker was never asked", () => {
    expect(attacker.connections()).toBe(0);
  });

  test("the issuers were asked once a cooldown at most", () => {
    const cooldowns = Math.ceil((Date.now() - startedAtMs) / 30_000);
    for (const { server: issuer } of issuers) {
      expect(issuer.asked.keys).toBeGreaterThan(0);
      expect(issuer.asked.keys).toBeLessThanOrEqual(1 + cooldowns);
      expect(issuer.asked.other).toBe(0);
    }
  });

  test("the audit log has the reasons, and nothing of a token", async () => {
    const told = ["missing", "malformed", "algorithm", "signature", "expired", "not_yet_valid"];
    const events = await allAuditEvents();
    const refusals = events.filter(({ action }) => action === "credential.refuse");
    expect(refusals.map(({ outcome }) => outcome)).toEqual(
      expect.arrayContaining([...told, "issuer", "audience", "claim"]),
    );
    const json = events.map((event) => toJsonString(AuditEventSchema, event));
    expect(linesWithCanary(json)).toEqual([]);
  });

  test("nothing of a token was logged", () => {
    expect(server.logged.length).toBeGreaterThan(1000);
    expect(linesWithCanary(server.logged)).toEqual([]);
  });
});
