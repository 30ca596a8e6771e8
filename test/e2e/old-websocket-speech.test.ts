/** The old JSON WebSocket with a real recording, the offline engine, and the server as a process of its own. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readClips } from "../bench/recordings.ts";
import { scoreWords } from "../bench/word-error.ts";
import type { TimedWord } from "../bench/word-error.ts";
import { modelsMissing } from "./models.ts";
import { openOldClient } from "./old-client.ts";
import { startServerProcess } from "./server-process.ts";
import type { ServerProcess } from "./server-process.ts";
import { mintTranscriptionToken } from "./speech-client.ts";

const title = modelsMissing === undefined ? "real speech" : `real speech (skipped: ${modelsMissing})`;

describe.skipIf(modelsMissing !== undefined)(title, () => {
  let server: ServerProcess;
  beforeAll(async () => void (server = await startServerProcess()));
  afterAll(() => server.stop());

  test("becomes captions, and a summary with the same words; the token is in no log", async () => {
    const clip = readClips()[1]!;
    const token = await mintTranscriptionToken(server.url, server.apiKey);
    const client = await openOldClient(server.url, `/?token=${token}`);
    client.say({ action: "start" });
    client.speak(clip.samples);
    client.say({ action: "stop" });
    expect((await client.closed).code).toBe(1000);
    const summary = await client.next("sessionSummary");
    const { words } = summary["sessionSummary"] as { words: TimedWord[] };
    expect(scoreWords(words, clip.words).rate).toBeLessThanOrEqual(0.15);
    const finals = client.messages.filter(({ type, isFinal }) => type === "transcript" && isFinal === true);
    expect(finals.map(({ text }) => text).join(" ")).toBe(summary["transcript"]);
    expect(server.output()).toContain("json-websocket");
    expect(server.output()).not.toContain(token);
  });
});
