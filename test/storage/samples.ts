/** Rows as the parts hand them over, with what a test does not care about filled in. */
import type { StoredInterview } from "../../src/analysis/interview-store.ts";
import type { StoredApiKey } from "../../src/token/api-keys/api-key-store.ts";
import type { NewSession, StoredSegment } from "../../src/transcription/session-store.ts";

export function session(sessionId: string, fields: Partial<NewSession> = {}): NewSession {
  return {
    sessionId,
    roomName: "room",
    participantIdentity: "ada",
    userId: "user-ada",
    sampleRateHz: 16_000,
    channelCount: 1,
    languageCode: "en",
    engine: "offline",
    wordTimes: "estimated",
    fillers: "kept",
    createTime: new Date("2026-01-02T03:04:05.678Z"),
    ...fields,
  };
}

export function segment(segmentIndex: number, fields: Partial<StoredSegment> = {}): StoredSegment {
  const startMs = segmentIndex * 1000;
  return {
    segmentIndex,
    finalNumber: segmentIndex + 1,
    channel: 0,
    startSample: startMs * 16,
    endSample: (startMs + 1000) * 16,
    startMs,
    endMs: startMs + 1000,
    text: `final ${segmentIndex}`,
    wordTimes: "estimated",
    words: [
      { text: "final", startMs: startMs + 100, endMs: startMs + 400, confidence: 0.5 },
      { text: String(segmentIndex), startMs: startMs + 500, endMs: startMs + 900 },
    ],
    voiced: [{ startMs: startMs + 100, endMs: startMs + 900 }],
    ...fields,
  };
}

export function apiKey(apiKeyId: string, fields: Partial<StoredApiKey> = {}): StoredApiKey {
  return {
    apiKeyId,
    displayName: "a key",
    scopes: ["tokens", "admin"],
    secretHash: Uint8Array.from({ length: 32 }, (_, index) => index * 8),
    createTime: new Date("2026-01-02T03:04:05.678Z"),
    ...fields,
  };
}

export function interview(interviewId: string, fields: Partial<StoredInterview> = {}): StoredInterview {
  return {
    interviewId,
    userId: "user-ada",
    state: "queued",
    createTime: new Date("2026-01-02T03:04:05.678Z"),
    updateTime: new Date("2026-01-02T03:04:05.678Z"),
    ...fields,
  };
}
