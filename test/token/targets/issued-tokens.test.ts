import fc from "fast-check";
import * as jose from "jose";
import { JwtService } from "@nestjs/jwt";
import jsonwebtoken from "jsonwebtoken";
import { AccessToken, RoomConfiguration, TokenVerifier, TrackSource } from "livekit-server-sdk";
import { describe, expect, test } from "vitest";
import { issueLiveKitGrants, issueLiveKitToken } from "../../../src/token/targets/livekit/issue-token.ts";
import { judgeLiveKitToken } from "../../../src/token/targets/livekit/judge-token.ts";
import type { UserType } from "../../../src/token/rooms/room-store.ts";
import { issueTranscriptionToken } from "../../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../../src/token/users/user-token.ts";
import { liveKitSources, userTypeRights } from "../../../src/token/rooms/user-types.ts";
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

/** What apps sign and verify with: jsonwebtoken, and NestJS's JwtService on top of it. */
const jwtService = new JwtService({ secret });
const options = { issuer: settings.issuer, audience: settings.audience, algorithms: ["HS256" as const] };

describe.each([
  {
    library: "jsonwebtoken",
    verify: (token: string) => jsonwebtoken.verify(token, secret, { ...options, clockTimestamp: now }),
    sign: (claims: object) => jsonwebtoken.sign(claims, secret, { algorithm: "HS256" }),
  },
  {
    library: "@nestjs/jwt",
    verify: (token: string) => jwtService.verify<object>(token, { ...options, clockTimestamp: now }),
    sign: (claims: object) => jwtService.sign(claims, { algorithm: "HS256" }),
  },
])("transcription tokens and $library", ({ verify, sign }) => {
  test("ours are verified by it, with the claims that an old service reads", () => {
    const { token } = issueTranscriptionToken(transcription, settings, nowMs);
    expect(verify(token)).toMatchObject({
      userId: "ada",
      roomName: "room",
      participantIdentity: "ada-1",
      userType: "PRESENTER",
      exp: now + 7200,
    });
  });

  test("ours are refused by it under another secret, issuer or audience", () => {
    for (const other of [{ secret: `${secret}!` }, { issuer: "x" }, { audience: "x" }]) {
      const { token } = issueTranscriptionToken(transcription, { ...settings, ...other }, nowMs);
      expect(() => verify(token)).toThrow();
    }
  });

  test("its own are let in here", () => {
    expect(verifyOwnToken(sign(transcriptionClaims), settings, nowMs)).toMatchObject({
      kind: "participant",
      userId: "ada",
      roomName: "room",
      userType: "host",
    });
  });

  test("its own are let in here with the few claims that an old backend signed", () => {
    const { userId, roomName, participantIdentity, iss, aud, exp, iat, jti } = transcriptionClaims;
    const token = sign({ userId, roomName, participantIdentity, iss, aud, exp, iat, jti });
    expect(verifyOwnToken(token, settings, nowMs)).toMatchObject({ userId: "ada", userType: "guest" });
  });

  test("its own are refused here when they are of another app", () => {
    expect(() => verifyOwnToken(sign({ ...transcriptionClaims, aud: "x" }), settings, nowMs)).toThrow(
      expect.objectContaining({ code: "audience" }),
    );
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
      const { canPublishSources, canUpdateOwnMetadata: _, ...grants } = userTypeRights[userType].livekit;
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

  test("with every grant, attribute, metadata and a room configuration are what its SDK would have written", async () => {
    const grants = {
      roomJoin: true,
      room: "room",
      roomCreate: true,
      roomList: true,
      roomRecord: true,
      roomAdmin: true,
      canPublish: false,
      canSubscribe: true,
      canPublishData: false,
      canUpdateOwnMetadata: true,
      hidden: true,
      recorder: true,
      agent: true,
      ingressAdmin: true,
      destinationRoom: "next",
    };
    const person = { attributes: { team: "a", "with space": "" }, metadata: '{"a":1}' };
    const roomConfig = { maxParticipants: 12, metadata: "m", agents: [{ agentName: "coach" }] };
    const sdk = new AccessToken(livekit.apiKey, livekit.apiSecret, {
      identity: "ada",
      name: "Ada",
      ttl: 60,
      ...person,
    });
    sdk.addGrant({ ...grants, canPublishSources: Object.values(sdkSources) });
    sdk.roomConfig = new RoomConfiguration({
      maxParticipants: 12,
      metadata: "m",
      agents: [{ agentName: "coach" }],
    });
    const issued = issueLiveKitGrants(
      {
        grants: { ...grants, canPublishSources: liveKitSources },
        participantIdentity: "ada",
        participantName: "Ada",
        ...person,
        roomConfig,
        ttlSeconds: 60,
      },
      livekit,
      Date.now(),
    );
    const theirs = jose.decodeJwt(await sdk.toJwt());
    const ours = jose.decodeJwt(issued.token);
    expect(without(ours, "exp", "nbf", "roomConfig")).toEqual(without(theirs, "exp", "nbf", "roomConfig"));
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
    // Its SDK writes defaults too, which mean the same.
    const read = (claim: unknown) => RoomConfiguration.fromJsonString(JSON.stringify(claim));
    expect(read(ours["roomConfig"]).equals(read(theirs["roomConfig"]))).toBe(true);
    await expect(
      new TokenVerifier(livekit.apiKey, livekit.apiSecret).verify(issued.token),
    ).resolves.toMatchObject({
      attributes: person.attributes,
    });
  });

  test("name the user where the identity does not", () => {
    const attributes = (userId: string) =>
      jose.decodeJwt(
        issueLiveKitToken(
          { roomName: "room", participantIdentity: "ada-phone", userId, userType: "host", ttlSeconds: 60 },
          livekit,
          nowMs,
        ).token,
      )["attributes"];
    expect(attributes("ada")).toEqual({ "parley.user_id": "ada" });
    expect(attributes("ada-phone")).toBeUndefined();
  });

  test("of livekit-server-sdk are judged as those of Parley", async () => {
    const sdk = new AccessToken(livekit.apiKey, livekit.apiSecret, { identity: "ada" });
    sdk.addGrant({ roomJoin: true, room: "room" });
    const token = await sdk.toJwt();
    expect(judgeLiveKitToken(token, { roomName: "room" }, livekit, Date.now())).toMatchObject({
      reason: "ok",
      kind: "livekit",
      claims: { sub: "ada", video: { room: "room" } },
    });
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
