import fc from "fast-check";
import * as jose from "jose";
import { AccessToken, TokenVerifier, TrackSource } from "livekit-server-sdk";
import { describe, expect, test } from "vitest";
import { issueLiveKitToken } from "../../../src/token/targets/livekit/issue-token.ts";
import type { UserType } from "../../../src/token/rooms/room-store.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../../src/token/users/user-token.ts";
import { userTypeRights } from "../../../src/token/rooms/user-types.ts";
import { verifyOwnToken } from "../../../src/token/credentials/verify-credential.ts";
import { now, nowMs, secret, settings, transcriptionClaims, userClaims, without } from "../make-token.ts";

const key = new TextEncoder().encode(secret);
const userTypes: readonly UserType[] = ["host", "presenter", "guest", "viewer"];
const transcription = {
  userId: "ada",
  roomName: "room",
  participantIdentity: "ada-1",
  userType: "presenter",
  ttlSeconds: 7200,
} as const;

describe("transcription tokens", () => {
  test("are read by another JWT library, with the claims of the contract and no others", async () => {
    const { token, expireTime } = issueTranscriptionToken(transcription, settings, nowMs + 999);
    const { payload, protectedHeader } = await jose.jwtVerify(token, key, {
      algorithms: ["HS256"],
      issuer: "interview-backend",
      audience: "transcription-service",
      typ: "JWT",
      requiredClaims: ["exp", "iat", "nbf", "jti"],
      currentDate: new Date(nowMs + 999),
    });
    expect(protectedHeader).toEqual({ alg: "HS256", typ: "JWT" });
    expect(payload).toEqual({
      userId: "ada",
      roomName: "room",
      participantIdentity: "ada-1",
      userType: "PRESENTER",
      iss: "interview-backend",
      aud: "transcription-service",
      iat: now,
      nbf: now,
      exp: now + 7200,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(expireTime).toEqual(new Date((now + 7200) * 1000));
  });

  test("of another JWT library are let in", async () => {
    const token = await new jose.SignJWT(transcriptionClaims).setProtectedHeader({ alg: "HS256" }).sign(key);
    expect(verifyOwnToken(token, settings, nowMs)).toEqual({
      kind: "participant",
      userId: "ada",
      roomName: "room",
      participantIdentity: "ada",
      userType: "host",
      tokenId: "token-1",
      issueTime: new Date(nowMs),
      expireTime: new Date((now + 7200) * 1000),
    });
  });

  test("with whole names of any script come back as they went in", () => {
    const name = (maxLength: number) =>
      fc.string({ unit: "grapheme", minLength: 1, maxLength }).filter((text) => /^\P{C}+$/u.test(text));
    fc.assert(
      fc.property(
        name(256),
        name(128),
        name(128),
        fc.constantFrom(...userTypes),
        (userId, roomName, participantIdentity, userType) => {
          fc.pre(
            [userId, roomName, participantIdentity].every(
              (text) => Array.from(text).length <= 256 && text !== "__proto__",
            ),
          );
          const request = { userId, roomName, participantIdentity, userType };
          const { token } = issueTranscriptionToken({ ...request, ttlSeconds: 60 }, settings, nowMs);
          expect(verifyOwnToken(token, settings, nowMs)).toMatchObject(request);
        },
      ),
    );
  });

  test("have an id each", () => {
    const ids = Array.from({ length: 50 }, () => {
      const { token } = issueTranscriptionToken(transcription, settings, nowMs);
      return jose.decodeJwt(token).jti;
    });
    expect(new Set(ids).size).toBe(50);
  });

  test("are signed with the present secret, never with the previous one", async () => {
    const both = { ...settings, previousSecret: "the-secret-before-this-one-in-32-bytes" };
    const { token } = issueTranscriptionToken(transcription, both, nowMs);
    await expect(jose.jwtVerify(token, key, { currentDate: new Date(nowMs) })).resolves.toBeDefined();
  });
});

describe("user tokens", () => {
  test("are read by another JWT library", async () => {
    const { token } = issueUserToken({ userId: "ada", displayName: "Ada", ttlSeconds: 60 }, settings, nowMs);
    const { payload } = await jose.jwtVerify(token, key, {
      audience: "parley",
      currentDate: new Date(nowMs),
    });
    expect(without(payload, "jti")).toEqual({ ...userClaims, name: "Ada", nbf: now, exp: now + 60 });
  });

  test("of another JWT library are let in", async () => {
    const token = await new jose.SignJWT({ name: "Ada" })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setSubject("ada")
      .setIssuer("interview-backend")
      .setAudience("parley")
      .setIssuedAt(now)
      .setExpirationTime(now + 3600)
      .sign(key);
    expect(verifyOwnToken(token, settings, nowMs)).toEqual({
      kind: "user",
      userId: "ada",
      issuer: "interview-backend",
      subject: "ada",
      displayName: "Ada",
      expireTime: new Date((now + 3600) * 1000),
    });
  });
});

describe("LiveKit tokens", () => {
  const livekit = {
    url: "wss://live.example.com",
    apiKey: "APIkey",
    apiSecret: "a-livekit-secret-of-32-bytes-at-least",
  };
  const sdkSources = {
    camera: TrackSource.CAMERA,
    microphone: TrackSource.MICROPHONE,
    screen_share: TrackSource.SCREEN_SHARE,
    screen_share_audio: TrackSource.SCREEN_SHARE_AUDIO,
  } as const;

  // LiveKit's verifier reads the clock itself, so these are issued now.
  test.each(userTypes)(
    "of a %s are verified by LiveKit's own SDK, and carry what it would have written",
    async (userType) => {
      const issued = issueLiveKitToken(
        { roomName: "room", participantIdentity: "ada", participantName: "Ada", userType, ttlSeconds: 3600 },
        livekit,
        Date.now(),
      );
      const claims = await new TokenVerifier(livekit.apiKey, livekit.apiSecret).verify(issued.token);
      const { canPublishSources, ...grants } = userTypeRights[userType].livekit;
      const sdk = new AccessToken(livekit.apiKey, livekit.apiSecret, {
        identity: "ada",
        name: "Ada",
        ttl: 3600,
      });
      sdk.addGrant({
        roomJoin: true,
        room: "room",
        ...grants,
        ...(canPublishSources && {
          canPublishSources: canPublishSources.map((source) => sdkSources[source]),
        }),
      });
      const theirs = jose.decodeJwt(await sdk.toJwt());
      const ours = jose.decodeJwt(issued.token);
      expect(ours["video"]).toEqual(theirs["video"]);
      expect(without(ours, "exp", "nbf")).toEqual(without(theirs, "exp", "nbf"));
      expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
      expect(ours.exp! - ours.nbf!).toBe(3600);
      expect(claims).toMatchObject({ sub: "ada", name: "Ada", video: { room: "room", roomJoin: true } });
      expect(issued.expireTime.getTime()).toBe(ours.exp! * 1000);
    },
  );

  test("grant by user type what may be done in the room, and never administration", () => {
    const video = (userType: UserType) =>
      jose.decodeJwt(
        issueLiveKitToken(
          { roomName: "room", participantIdentity: "ada", userType, ttlSeconds: 60 },
          livekit,
          nowMs,
        ).token,
      )["video"];
    const all = { roomJoin: true, room: "room", canPublish: true, canSubscribe: true, canPublishData: true };
    expect(video("host")).toEqual(all);
    expect(video("presenter")).toEqual(all);
    expect(video("guest")).toEqual({ ...all, canPublishSources: ["camera", "microphone"] });
    expect(video("viewer")).toEqual({ ...all, canPublish: false, canPublishData: false });
  });

  test("are refused by the SDK under another key or secret", async () => {
    const { token } = issueLiveKitToken(
      { roomName: "room", participantIdentity: "ada", userType: "guest", ttlSeconds: 60 },
      livekit,
      Date.now(),
    );
    await expect(new TokenVerifier("APIother", livekit.apiSecret).verify(token)).rejects.toThrow();
    await expect(new TokenVerifier(livekit.apiKey, secret).verify(token)).rejects.toThrow();
  });
});
