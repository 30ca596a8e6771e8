/**
 * The engine's child process: loads the models when told to, then works for the streams that the parent opens. It ends
 * when the parent is gone. It writes nothing anywhere: what it hears and what it understands leave only as messages.
 */
import llamaTokenizer from "llama-tokenizer-js";
import type { ChildMessage, ModelPaths, ParentMessage } from "./protocol.ts";
import { Moonshine } from "./recognition/moonshine.ts";
import { RecognitionStream } from "./recognition/recognition-stream.ts";
import { VoiceActivityModel } from "./recognition/voice-activity.ts";
import { WorkLoop } from "./recognition/work-loop.ts";

interface Models {
  readonly moonshine: Moonshine;
  readonly voiceActivity: VoiceActivityModel;
}

const streams = new Map<number, RecognitionStream>();
const loop = new WorkLoop({ onFailure: fail });
let models: Models | undefined;

process.on("message", (message) => receive(message as ParentMessage));
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches every process of the terminal; the parent says when this one is to end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

function receive(message: ParentMessage): void {
  switch (message.type) {
    case "load":
      void load(message.models);
      return;
    case "open":
      open(message.stream, message.interimResults);
      return;
    case "audio":
      streams.get(message.stream)?.write(message.samples);
      break;
    case "finalize":
      streams.get(message.stream)?.flush();
      break;
    case "end":
      streams.get(message.stream)?.end();
      break;
    case "abort":
      forget(message.stream);
      return;
  }
  loop.wake();
}

async function load(paths: ModelPaths): Promise<void> {
  try {
    const voiceActivity = await VoiceActivityModel.load(paths.voiceActivity);
    models = { voiceActivity, moonshine: await Moonshine.load(paths) };
    send({ type: "loaded" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    process.send?.({ type: "load-failed", reason } satisfies ChildMessage, () => process.exit(1));
  }
}

function open(id: number, interimResults: boolean): void {
  if (models === undefined) {
    send({ type: "stream-failed", stream: id, reason: "the models are not loaded" });
    return;
  }
  const parts = {
    moonshine: models.moonshine,
    pieces: llamaTokenizer.vocabById,
    voiceActivity: models.voiceActivity.newStream(),
  };
  const stream = new RecognitionStream(
    parts,
    {
      event: (event) => send({ type: "event", stream: id, event }),
      taken: (throughSample) => send({ type: "taken", stream: id, throughSample }),
      finalized: () => send({ type: "finalized", stream: id }),
    },
    interimResults,
  );
  streams.set(id, stream);
  loop.add(stream);
}

function forget(id: number): void {
  const stream = streams.get(id);
  if (stream === undefined) return;
  streams.delete(id);
  loop.remove(stream);
}

function fail(stream: RecognitionStream, error: unknown): void {
  for (const [id, candidate] of streams) {
    if (candidate !== stream) continue;
    streams.delete(id);
    send({ type: "stream-failed", stream: id, reason: error instanceof Error ? error.message : "unknown" });
  }
}
