/** Which languages Deepgram's model listens to, and what Deepgram calls the one that a BCP 47 tag asks for. */

/**
 * Of nova-3, as Deepgram's "Models & Languages Overview" and its changelog name them (read in November 2026). "mul" is
 * BCP 47 for several languages at once, which Deepgram calls "multi".
 */
export const deepgramLanguages: readonly string[] = [
  ...["en", "en-US", "en-AU", "en-GB", "en-IN", "en-NZ", "mul"],
  ...[
    "be",
    "bg",
    "bn",
    "bs",
    "ca",
    "cs",
    "da",
    "da-DK",
    "de",
    "de-CH",
    "el",
    "es",
    "es-419",
    "et",
    "fa",
    "fi",
  ],
  ...[
    "fr",
    "fr-CA",
    "gu",
    "gu-IN",
    "he",
    "hi",
    "hr",
    "hu",
    "id",
    "it",
    "ja",
    "kn",
    "ko",
    "ko-KR",
    "lt",
    "lv",
  ],
  ...["mk", "mr", "ms", "ne", "nl", "nl-BE", "no", "pa", "pa-IN", "pl", "pt", "pt-BR", "pt-PT", "ro", "ru"],
  ...["sk", "sl", "sr", "sv", "sv-SE", "ta", "te", "th", "th-TH", "tl", "tr", "uk", "ur", "vi"],
  ...["zh", "zh-CN", "zh-Hans", "zh-HK", "zh-Hant", "zh-TW"],
];

const byLowerCase = new Map(deepgramLanguages.map((tag) => [tag.toLowerCase(), tag]));
/** Tags that mean a language of the list and are written otherwise. */
const aliases: Readonly<Record<string, string>> = { multi: "mul", nb: "no", nn: "no", fil: "tl" };

/** Deepgram's word for the language, or the nearest it has ("en" for "en-ZA"); undefined when it has none. */
export function deepgramLanguage(tag: string): string | undefined {
  const parts = tag.toLowerCase().split("-");
  for (let length = parts.length; length > 0; length--) {
    const shorter = parts.slice(0, length).join("-");
    const known = byLowerCase.get(aliases[shorter] ?? shorter);
    if (known !== undefined) return known === "mul" ? "multi" : known;
  }
  return undefined;
}
