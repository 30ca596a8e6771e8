/**
 * Which queries the FAKE Deepgram takes on /v1/listen. Stricter than Deepgram, which passes over what it does not know:
 * a misspelt option is a defect of the caller, and shall be seen.
 */

const flag = /^(true|false)$/;
const count = /^\d{1,5}$/;
const allowed: Readonly<Record<string, RegExp>> = {
  model: /^nova-3$/,
  language: /^(multi|[a-z]{2}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?)$/,
  encoding: /^linear16$/,
  sample_rate: /^16000$/,
  channels: /^1$/,
  interim_results: flag,
  punctuate: flag,
  smart_format: flag,
  filler_words: flag,
  vad_events: flag,
  diarize: flag,
  mip_opt_out: flag,
  endpointing: /^(false|\d{1,5})$/,
  utterance_end_ms: count,
  keyterm: /^.{1,200}$/,
};
const repeatable: ReadonlySet<string> = new Set(["keyterm"]);

/** What is wrong with a query, or undefined. */
export function wrongQuery(query: URLSearchParams): string | undefined {
  for (const [name, value] of query) {
    const pattern = allowed[name];
    if (!pattern?.test(value)) return `${name} is not a valid parameter or value`;
    if (!repeatable.has(name) && query.getAll(name).length > 1) return `${name} is given twice`;
  }
  if (!query.has("model")) return "model is missing";
  if (query.has("encoding") !== query.has("sample_rate")) return "encoding and sample_rate go together";
  const utteranceEnd = query.get("utterance_end_ms");
  if (utteranceEnd !== null && (Number(utteranceEnd) < 1000 || query.get("interim_results") !== "true"))
    return "utterance_end_ms is at least 1000 and needs interim_results";
  const keytermLength = query.getAll("keyterm").reduce((sum, term) => sum + term.length, 0);
  return keytermLength > 2000 ? "too many key terms" : undefined;
}
