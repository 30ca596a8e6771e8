/**
 * Which speech engine to use: the first of the configured ones that is not known to be down. Remembers failures for a
 * while, so that not every new stream waits for an engine that is away. Opens nothing itself.
 */
import type { Clock } from "../../clock.ts";
import type { EngineHealth, SpeechEngine } from "./speech-engine.ts";

/** How long an engine that failed is passed over when there is another, in milliseconds. */
const avoidedForMs = 30_000;

export class EngineChoice {
  readonly #engines: readonly [SpeechEngine, ...SpeechEngine[]];
  readonly #clock: Clock;
  readonly #avoidedUntil = new Map<SpeechEngine, number>();

  /** In order of preference; all of them must take audio at the same rate. */
  constructor(engines: readonly [SpeechEngine, ...SpeechEngine[]], clock: Clock) {
    const [first] = engines;
    if (engines.some((engine) => engine.sampleRateHz !== first.sampleRateHz))
      throw new Error("the speech engines take audio at different rates");
    this.#engines = engines;
    this.#clock = clock;
  }

  get sampleRateHz(): number {
    return this.#engines[0].sampleRateHz;
  }

  /** The engine for a new stream in this language. */
  first(languageCode: string): SpeechEngine {
    const able = this.#able(languageCode);
    return able.find((engine) => !this.#isAvoided(engine)) ?? able[0] ?? this.#engines[0];
  }

  /** The engine that may take over from one that failed; undefined when there is none. Never one that is tried already. */
  after(tried: ReadonlySet<SpeechEngine>, languageCode: string): SpeechEngine | undefined {
    return this.#able(languageCode).find((engine) => !tried.has(engine));
  }

  /** The engine failed in a way that another one may mend. */
  failed(engine: SpeechEngine): void {
    this.#avoidedUntil.set(engine, this.#clock.now() + avoidedForMs);
  }

  /** Ready when one of them is; says it of each where there are several. */
  health(): EngineHealth {
    const each = this.#engines.map((engine) => ({ name: engine.name, ...engine.health() }));
    const [only] = each;
    if (each.length === 1 && only) return { ready: only.ready, detail: only.detail };
    const detail = each.map(({ name, ready, detail }) => `${name}: ${ready ? "" : "not ready, "}${detail}`);
    return { ready: each.some(({ ready }) => ready), detail: detail.join("; ") };
  }

  #able(languageCode: string): readonly SpeechEngine[] {
    return this.#engines.filter(({ capabilities }) => understands(capabilities.languages, languageCode));
  }

  #isAvoided(engine: SpeechEngine): boolean {
    return !engine.health().ready || this.#clock.now() < (this.#avoidedUntil.get(engine) ?? -Infinity);
  }
}

/** "en" is understood as any English, and "en-GB" by an engine for "en". */
function understands(languages: readonly string[], languageCode: string): boolean {
  const asked = languageCode.toLowerCase();
  return languages.some((tag) => {
    const known = tag.toLowerCase();
    return asked === known || asked.startsWith(`${known}-`) || known.startsWith(`${asked}-`);
  });
}
