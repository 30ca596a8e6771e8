/** What is asked of Deepgram for a stream: the query of /v1/listen, and why each of it. */
import type { EngineStreamOptions } from "../speech-engine.ts";

/** The general model of the live API: the one with key terms, fillers and the most languages. */
const model = "nova-3";
export const sampleRateHz = 16_000;
/** Silence after which Deepgram calls a result final, in ms. Its default of 10 cuts within sentences. */
const endpointingMs = 300;
/** Silence after which UtteranceEnd comes, in ms; 1000 is the least that Deepgram takes. */
const utteranceEndMs = 1_000;
/** Deepgram takes 500 tokens of key terms, and a list over that ends the stream. Its tokens are not known here. */
const maxKeytermTokens = 500;

/** Names and values as Deepgram's reference has them; an array is repeated. */
export type ListenQuery = Readonly<Record<string, string | readonly string[]>>;

export function listenQuery(options: EngineStreamOptions, language: string): ListenQuery {
  const keyterms = usableKeyterms(options.keyterms ?? []);
  return {
    model,
    language,
    encoding: "linear16",
    sample_rate: String(sampleRateHz),
    // A channel of a session is a stream of its own, so that `channel` tells speakers apart before diarisation does.
    channels: "1",
    // Always, also when nobody wants them: they are the sign of life, and UtteranceEnd is made of them.
    interim_results: "true",
    // Not smart_format: it writes "twenty five" as one word, and delivery figures count what was spoken.
    punctuate: "true",
    // The SDK's typed options lack it; Deepgram's reference has it.
    filler_words: "true",
    vad_events: "true",
    endpointing: String(endpointingMs),
    utterance_end_ms: String(utteranceEndMs),
    // Keeps the audio out of Deepgram's training.
    mip_opt_out: "true",
    ...(options.diarize === true && { diarize: "true" }),
    ...(keyterms.length > 0 && { keyterm: keyterms }),
  };
}

/** As many as surely fit. A word piece of fewer than two characters is rare, so half the characters bound the tokens. */
export function usableKeyterms(keyterms: readonly string[]): readonly string[] {
  let tokens = 0;
  return keyterms.filter((term) => (tokens += Math.ceil(term.length / 2) + 1) <= maxKeytermTokens);
}
