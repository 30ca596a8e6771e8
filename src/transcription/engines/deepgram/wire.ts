/** What Deepgram says on a live stream, as far as it matters here. Reads it without trusting it; keeps nothing. */
import { z } from "zod";

const seconds = z.number().nonnegative();
const wordSchema = z.object({
  word: z.string(),
  punctuated_word: z.string().optional(),
  start: seconds,
  end: seconds,
  confidence: z.number().optional(),
  speaker: z.number().int().nonnegative().optional(),
});

const messageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("Results"),
    start: seconds,
    duration: seconds,
    is_final: z.boolean().default(false),
    speech_final: z.boolean().default(false),
    from_finalize: z.boolean().default(false),
    channel: z.object({
      alternatives: z.array(z.object({ transcript: z.string(), words: z.array(wordSchema).default([]) })),
    }),
  }),
  z.object({ type: z.literal("Metadata"), duration: seconds }),
  z.object({ type: z.literal("SpeechStarted"), timestamp: seconds }),
  z.object({ type: z.literal("UtteranceEnd"), last_word_end: z.number() }),
  z.object({ type: z.literal("Error") }),
  z.object({ type: z.literal("Warning") }),
]);

export type DeepgramMessage = z.infer<typeof messageSchema>;
export type DeepgramResults = Extract<DeepgramMessage, { type: "Results" }>;
export type DeepgramWord = z.infer<typeof wordSchema>;

const knownTypes: ReadonlySet<unknown> = new Set([
  ...["Results", "Metadata", "SpeechStarted", "UtteranceEnd", "Error", "Warning"],
]);

/** Undefined for a kind of message that is not known, as later versions may add; "malformed" for one that is broken. */
export function readMessage(message: unknown): DeepgramMessage | "malformed" | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return "malformed";
  if (!knownTypes.has(message.type)) return undefined;
  const parsed = messageSchema.safeParse(message);
  if (!parsed.success) return "malformed";
  // Words without times could not be placed, and a boundary behind them would be a lie.
  return parsed.data.type === "Results" && lacksWords(parsed.data) ? "malformed" : parsed.data;
}

function lacksWords({ channel }: DeepgramResults): boolean {
  const [best] = channel.alternatives;
  return best !== undefined && best.words.length === 0 && best.transcript.trim() !== "";
}
