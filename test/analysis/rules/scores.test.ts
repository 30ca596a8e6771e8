/**
 * Each score: what raises it, what must never raise it, and examples by hand. Whole reports are in apply-rules.test.ts.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Aspect } from "../../../src/analysis/report.ts";
import type { RulesInput } from "../../../src/analysis/rules/apply-rules.ts";
import { applyRules } from "../../../src/analysis/rules/apply-rules.ts";
import { stem } from "../../../src/analysis/rules/stem.ts";
import { typeTokenRatio } from "../../../src/analysis/rules/type-token-ratio.ts";
import { weighScores } from "../../../src/analysis/rules/weigh-scores.ts";
import { ESSAY, LITANY, session, speak, STORY, STORY_QUESTION } from "./answers.ts";

const valueOf = (aspect: Aspect, input: RulesInput) =>
  applyRules(input).scores.find((score) => score.aspect === aspect)?.value;

const evidenceOf = (aspect: Aspect, input: RulesInput) =>
  applyRules(input)
    .scores.find((score) => score.aspect === aspect)!
    .evidence.map((entry) => `${entry.text} ${entry.value ?? ""}`);

describe("pace", () => {
  const paceOf = (slowness: number) => {
    const input = session(speak(STORY, { slowness }));
    return { pace: input.figures!.averagePace, score: valueOf("pace", input)! };
  };

  test("the whole comfortable band scores 100", () => {
    const scores = [1.02, 1.1, 1.2, 1.3, 1.4].map(paceOf).filter(({ pace }) => pace >= 120 && pace <= 160);
    expect(scores.length).toBeGreaterThan(2);
    expect(scores.map(({ score }) => score)).toEqual(scores.map(() => 100));
  });

  test("further from the band never scores higher", () => {
    const slowness = fc.double({ min: 0.2, max: 4, noNaN: true });
    fc.assert(
      fc.property(slowness, slowness, (a, b) => {
        const [slower, faster] = [paceOf(Math.max(a, b)), paceOf(Math.min(a, b))];
        if (slower.pace >= 120) expect(faster.score).toBeLessThanOrEqual(slower.score);
        if (faster.pace <= 160) expect(slower.score).toBeLessThanOrEqual(faster.score);
      }),
    );
  });

  test("twice or half a comfortable pace scores 0", () => {
    expect(paceOf(0.5).score).toBe(0);
    expect(paceOf(4).score).toBe(0);
  });
});

test("more fillers never raise the fillers score", () => {
  const tokens = STORY.split(" ");
  fc.assert(
    fc.property(
      fc.array(fc.nat(tokens.length), { maxLength: 30 }),
      fc.nat(tokens.length),
      (places, another) => {
        const withFillers = (at: readonly number[]) => {
          const text = tokens.flatMap((token, index) => [
            ...at.filter((place) => place === index).map(() => "um"),
            token,
          ]);
          return valueOf("fillers", session(speak(text.join(" "))))!;
        };
        expect(withFillers([...places, another])).toBeLessThanOrEqual(withFillers(places));
      },
    ),
  );
});

describe("pauses", () => {
  const withSilences = (silencesMs: readonly number[], difficulty?: "easy" | "hard") => {
    const words = speak(STORY);
    let byMs = 0;
    const moved = words.map((word, index) => {
      byMs += silencesMs[index] ?? 0;
      return { ...word, startMs: word.startMs + byMs, endMs: word.endMs + byMs };
    });
    return valueOf("pauses", { ...session(moved), ...(difficulty && { difficulty }) })!;
  };

  test("another long pause never raises the score", () => {
    const silence = fc.oneof(fc.constant(0), fc.integer({ min: 2_000, max: 20_000 }));
    fc.assert(
      fc.property(
        fc.array(silence, { maxLength: 20 }),
        fc.integer({ min: 2_000, max: 60_000 }),
        (silences, longMs) => {
          const fewer = Array.from({ length: 30 }, (_, index) => silences[index] ?? 0);
          expect(withSilences([...fewer, longMs])).toBeLessThanOrEqual(withSilences(fewer));
        },
      ),
    );
  });

  test("a hard question earns time to think", () => {
    const silences = [0, 0, 0, 2_500, 0, 0, 0, 0, 0, 2_500];
    expect(withSilences(silences, "hard")).toBeGreaterThan(withSilences(silences, "easy"));
  });

  test("speech without a breath scores less than speech with pauses", () => {
    expect(valueOf("pauses", session(speak(STORY, { sentenceSilenceMs: 100 })))).toBeLessThan(
      withSilences([]),
    );
  });
});

describe("variety", () => {
  test("the ratio of windows, by hand", () => {
    expect(typeTokenRatio(["a", "b", "a", "c"], 3)).toBeCloseTo((2 / 3 + 1) / 2, 9);
    expect(typeTokenRatio(["a", "a", "a", "a"], 2)).toBe(0.5);
    expect(typeTokenRatio(["a", "b"], 3)).toBeUndefined();
  });

  test("the running count equals counting each window anew", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 5, maxLength: 60 }), (words) => {
        const windows = words.slice(4).map((_, index) => new Set(words.slice(index, index + 5)).size / 5);
        const mean = windows.reduce((sum, ratio) => sum + ratio, 0) / windows.length;
        expect(typeTokenRatio(words, 5)).toBeCloseTo(mean, 9);
      }),
    );
  });

  test("a longer answer of the same kind is not less varied", () => {
    const once = valueOf("variety", { words: [], text: `${STORY} ${ESSAY}` })!;
    expect(once).toBeGreaterThanOrEqual(valueOf("variety", { words: [], text: ESSAY })! - 5);
  });

  test("without punctuation a silence ends a sentence, so that sentence beginnings are still heard", () => {
    const said = ESSAY.replaceAll(/[.,]/g, "").toLowerCase().split(" ");
    const words = speak(said.map((token, index) => (index % 8 === 0 ? `we ${token}` : token)).join(" "));
    let byMs = 0;
    const spoken = words.map((word) => {
      if (word.text === "we") byMs += 700;
      return { ...word, startMs: word.startMs + byMs, endMs: word.endMs + byMs };
    });
    expect(evidenceOf("variety", session(spoken)).join()).toMatch(/sentences begin with “we”/);
    expect(evidenceOf("variety", session(words)).join()).not.toMatch(/begin with/);
  });

  test("a phrase that comes back three times is cited once, however its words overlap", () => {
    const text = `${ESSAY} At the end of the day it works. At the end of the day it pays. At the end of the day it is ours.`;
    const cited = evidenceOf("variety", { words: [], text }).filter((entry) => entry.startsWith("Said"));
    expect(cited.length).toBeGreaterThan(0);
    expect(cited.length).toBeLessThanOrEqual(2);
    expect(cited[0]).toMatch(/^Said 3 times: “.* end.*”/);
  });

  test("fillers do not count as variety", () => {
    const filled = LITANY.replaceAll(". ", ". Um, uh, er, ");
    expect(evidenceOf("variety", { words: [], text: filled })).toEqual(
      evidenceOf("variety", { words: [], text: LITANY }),
    );
  });
});

describe("structure", () => {
  const sentences = [
    "Last year our shop had too many returns.",
    "I was asked to find out why.",
    "I called forty customers and I rewrote the size guide.",
    "As a result returns fell by 30 percent.",
  ];
  const scoreOf = (text: string) => valueOf("structure", { words: [], text })!;

  test("all four parts in order with a number score 100, out of order less", () => {
    expect(scoreOf(sentences.join(" "))).toBe(100);
    expect(scoreOf(sentences.toReversed().join(" "))).toBe(90);
  });

  test("each part that is left out costs, and a result without a number too", () => {
    sentences.forEach((_, left) => {
      const text = [
        ...sentences.filter((_sentence, index) => index !== left),
        "It rained a lot and the sky was very grey.",
      ];
      expect(scoreOf(text.join(" "))).toBeLessThanOrEqual(80);
    });
    expect(scoreOf([...sentences.slice(0, 3), "As a result returns fell."].join(" "))).toBe(90);
  });

  test("cues are heard through fillers and abbreviations, and the result with a number is the one that counts", () => {
    const text =
      "Last year our client Dr. Smith had a problem with returns. I was asked to help. I called her. As, um, a result " +
      "she was happy. As a result returns fell by 30 percent.";
    expect(scoreOf(text)).toBe(100);
    const cited = evidenceOf("structure", { words: [], text });
    expect(cited[1]).toContain("Dr. Smith had a problem");
    expect(cited[4]).toContain("30 percent");
    expect(scoreOf(text.replace(" As a result returns fell by 30 percent.", ""))).toBe(90);
  });

  test("saying more at the end never lowers it", () => {
    const sentence = fc.constantFrom(...sentences, ...LITANY.split(/(?<=\.) /), ...ESSAY.split(/(?<=\.) /));
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 5, maxLength: 9 }), sentence, (said, more) => {
        const before = valueOf("structure", { words: [], text: said.join(" ") }) ?? 0;
        expect(scoreOf([...said, ...said, more].join(" "))).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

describe("coverage", () => {
  const scoreOf = (text: string) => valueOf("coverage", { words: [], text, question: STORY_QUESTION })!;

  test("other forms of the question's words count", () => {
    const full = "The teams were frustrating themselves, so improving our processes was what I did for them.";
    expect(scoreOf(full)).toBe(100);
    expect(scoreOf("My dog likes long walks in the park on every single sunny day.")).toBe(0);
  });

  test("saying more never lowers it", () => {
    const token = fc.constantFrom(...STORY.split(" "), ...STORY_QUESTION.split(" "));
    fc.assert(
      fc.property(fc.array(token, { minLength: 20, maxLength: 60 }), token, (said, more) => {
        expect(scoreOf([...said, more].join(" "))).toBeGreaterThanOrEqual(scoreOf(said.join(" ")));
      }),
    );
  });

  test.each([
    ["manage managed manages managing manager managers management"],
    ["improve improved improves improving improvement improvements"],
    ["process processes processed processing"],
    ["team teams"],
    ["plan plans planned planning planner"],
    ["company companies"],
    ["communicate communicated communicating communication communications"],
    ["analyse analysed analysing"],
    ["lead leads leading leader leaders"],
  ])("one stem: %s", (forms) => {
    expect([...new Set(forms.split(" ").map(stem))]).toHaveLength(1);
  });

  test.each([["general generate"], ["team teach"], ["sales sad"], ["customer custody"]])(
    "two stems: %s",
    (forms) => {
      expect(new Set(forms.split(" ").map(stem)).size).toBe(2);
    },
  );
});

test("the overall score is the weighted mean of what was scored", () => {
  const score = (aspect: Aspect, value?: number) => ({
    aspect,
    summary: "",
    evidence: [],
    ...(value !== undefined && { value }),
  });
  expect(weighScores([score("pace", 100), score("fillers", 50), score("coverage")])).toBe(
    Math.round((1500 + 1000) / 35),
  );
  expect(weighScores([score("pace")])).toBeUndefined();
});

test("the longest text that is accepted is scored at once, whatever it is made of", () => {
  for (const text of [
    STORY.repeat(150),
    "a ".repeat(50_000),
    `${"-".repeat(50_000)}a${"'".repeat(49_999)}`,
    ". ".repeat(50_000),
  ]) {
    const startMs = performance.now();
    applyRules({ words: [], text: text.slice(0, 100_000), question: text.slice(0, 4_000) });
    expect(performance.now() - startMs).toBeLessThan(2_000);
  }
});
