/** What signing and verifying cost by themselves, without a network or a database. */
import { createHmac, createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { pino } from "pino";
import { systemClock } from "../../src/clock.ts";
import { inProcessNotices } from "../../src/storage/notices-in-process.ts";
import { CredentialVerifier } from "../../src/token/credentials/credential-verifier.ts";
import { verifyOwnToken } from "../../src/token/credentials/verify-credential.ts";
import { privateSigningKey, publicVerificationKey } from "../../src/token/jwt/jwt-key.ts";
import type { JwtSettings } from "../../src/token/keys/jwt-settings.ts";
import { Revocations } from "../../src/token/revocation/revocations.ts";
import { issueLiveKitToken } from "../../src/token/targets/livekit/issue-token.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { measureInTurns } from "./cpu-cost.ts";

const secret = () => randomBytes(48).toString("base64url");
const settings: JwtSettings = {
  secret: secret(),
  issuer: "interview-backend",
  audience: "transcription-service",
  expirySeconds: 7200,
};
const livekit = { url: "ws://localhost:7880", apiKey: "devkey", apiSecret: secret() };

/** More than a server remembers, so that whoever goes through them meets none again that is known. */
const tokenCount = 20_000;

const entry = (index: number) => ({
  userId: `user-${index % 1000}`,
  roomName: `interview-user-${index % 1000}-lq3k9x2v`,
  participantIdentity: `user-${index % 1000}`,
  participantName: "Ada Lovelace",
  userType: "host" as const,
});
const signTranscription = (index: number, by = settings) =>
  issueTranscriptionToken({ ...entry(index), ttlSeconds: 7200 }, by, Date.now()).token;
const signLiveKit = (index: number) =>
  issueLiveKitToken({ ...entry(index), ttlSeconds: 3600 }, livekit, Date.now()).token;

/** Prints the figures. Whether all are within their bars. */
export async function benchFunctions(): Promise<boolean> {
  const tokens = Array.from({ length: tokenCount }, (_, index) => signTranscription(index));
  const tokenOf = (index: number) => tokens[index % tokenCount]!;
  const verifier = await openVerifier();
  const edDsa = edDsaSettings();
  const edDsaToken = signTranscription(0, edDsa);
  const key = createSecretKey(secret(), "utf8");
  const hmac = (input: string) => createHmac("sha256", key).update(input).digest("base64url");
  const [transcriptionInput, liveKitInput] = [signTranscription(0), signLiveKit(0)].map((token) =>
    token.slice(0, token.lastIndexOf(".")),
  );
  const isGood = await measureInTurns([
    {
      what: "bare HMAC of two tokens of that size",
      call: () => hmac(transcriptionInput!) + hmac(liveKitInput!),
    },
    {
      what: "signing two tokens (LiveKit and transcription)",
      call: (index) => signLiveKit(index) + signTranscription(index),
      barUs: 60,
    },
    { what: "bare HMAC of one transcription token", call: () => hmac(transcriptionInput!) },
    { what: "verifying a credential that is known", call: () => verifier.verify(tokens[0]!), barUs: 5 },
    { what: "verifying one that is not, HS256", call: (index) => verifier.verify(tokenOf(index)), barUs: 40 },
    {
      what: "  its token alone: signature, times, claims",
      call: (index) => verifyOwnToken(tokenOf(index), settings, Date.now()),
    },
    {
      what: "  the same, signed with Ed25519",
      call: () => verifyOwnToken(edDsaToken, edDsa, Date.now()),
    },
  ]);
  verifier.stop();
  return isGood;
}

/** As a server has it, with as many live revocations as a busy day leaves. */
async function openVerifier(): Promise<CredentialVerifier> {
  const notices = inProcessNotices(pino({ level: "silent" }));
  const nowMs = Date.now();
  const live = Array.from({ length: 1000 }, (_, index) => ({
    selector: { tokenId: `revoked-${index}` },
    revokeTime: new Date(nowMs),
    expireTime: new Date(nowMs + 86_400_000),
  }));
  const revocations = new Revocations({
    store: {
      keep: () => Promise.resolve(),
      list: () => Promise.resolve(live),
      deleteExpired: () => Promise.resolve(),
    },
    notices,
    clock: systemClock,
    endStreams: () => 0,
    onProblem: (message) => {
      throw new Error(message);
    },
  });
  await revocations.start();
  const apiKeys = { get: () => Promise.resolve(undefined) };
  return new CredentialVerifier({ jwt: settings, apiKeys, revocations, clock: systemClock, notices });
}

function edDsaSettings(): JwtSettings {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const signing = privateSigningKey("EdDSA", privateKey, "bench");
  const verification = [publicVerificationKey("EdDSA", publicKey, "bench")];
  return { ...settings, eddsa: { signing, verification, published: [] } };
}
