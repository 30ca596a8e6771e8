import { describe, expect, test } from "vitest";
import { checkHistories } from "./check-history.ts";
import type { Final, WireEvent } from "./history.ts";
import { finals, rate, reference, soundHistory, totalSamples } from "./sound-history.ts";
import type { Draft } from "./sound-history.ts";

const check = (change: (history: Draft) => void) => {
  const history = soundHistory();
  change(history);
  return checkHistories([history], reference);
};
const rulesOf = (change: (history: Draft) => void) => [
  ...new Set(check(change).violations.map((violation) => violation.rule)),
];
const changeWire = (history: Draft, change: (event: WireEvent, index: number) => WireEvent[]) => {
  history.wire = history.wire.flatMap(change);
};
/** In the database, on the wire and in the app alike, as a server that makes the mistake would have it. */
const changeEverywhere = (history: Draft, change: (final: Final) => Final[]) => {
  changeWire(history, (event) => {
    if (event.kind === "summary") return [{ ...event, finals: event.finals.flatMap(change) }];
    return event.kind === "final" ? change(event.final).map((final) => ({ ...event, final })) : [event];
  });
  history.seenByApp = history.seenByApp.flatMap(change);
  history.snapshots = history.snapshots.map((one) => ({ ...one, finals: one.finals.flatMap(change) }));
};
const isNth = (kind: WireEvent["kind"], nth: number) => {
  let seen = 0;
  return (event: WireEvent) => event.kind === kind && seen++ === nth;
};

describe("the checker", () => {
  test("finds nothing wrong with a sound session, and counts it", () => {
    expect(check(() => undefined)).toEqual({
      violations: [],
      sessions: 1,
      resumes: 1,
      acknowledgedSamples: totalSamples,
      lostSamples: 0,
      lostWords: 0,
      duplicatedFinals: 0,
      gaps: 0,
      agreement: 1,
      worstAgreement: 1,
    });
  });

  test("finds acknowledged samples that are not committed after a restart", () => {
    const verdict = check((history) => {
      history.snapshots[0] = { ...history.snapshots[0]!, committedThroughSample: 5 * 3 * rate };
    });
    expect(verdict.violations.map(({ rule }) => rule)).toEqual(["lost-samples"]);
    expect(verdict.lostSamples).toBe(3 * rate);
  });

  test("finds a session that goes on before what was acknowledged", () => {
    const verdict = check((history) =>
      changeWire(history, (event) =>
        event.kind === "started" && event.epoch === 2 ? [{ ...event, nextSample: 17 * rate }] : [event],
      ),
    );
    expect(verdict.violations.map(({ rule }) => rule)).toContain("lost-samples");
    expect(verdict.lostSamples).toBe(rate);
  });

  test.each([0, 20, 35])("finds one lost word, number %i", (lost) => {
    const verdict = check((history) =>
      changeEverywhere(history, (final) => [
        { ...final, words: final.words.filter((word) => word.text !== reference[lost]!.text) },
      ]),
    );
    expect(verdict.violations.map(({ rule }) => rule)).toContain("lost-words");
    expect(verdict.lostWords).toBe(1);
  });

  test("takes another word in the same place for no loss, and counts it against the agreement", () => {
    const verdict = check((history) =>
      changeEverywhere(history, (final) => [
        { ...final, words: final.words.map((word, at) => (at === 0 ? { ...word, text: "whatever" } : word)) },
      ]),
    );
    expect(verdict.lostWords).toBe(0);
    expect(verdict.agreement).toBeCloseTo(5 / 6);
    expect(verdict.violations.map(({ rule }) => rule)).toEqual(["agreement"]);
  });

  test("finds a final that was sent and is not stored", () => {
    const rules = rulesOf((history) => {
      history.snapshots[0] = { ...history.snapshots[0]!, finals: finals.slice(0, 5) };
    });
    expect(rules).toContain("final-lost");
    expect(rules).toContain("lost-words");
  });

  test("finds a final that was stored and is gone", () => {
    expect(
      rulesOf((history) => {
        history.snapshots[1] = { ...history.snapshots[1]!, finals: finals.slice(1) };
      }),
    ).toContain("final-lost");
  });

  test("finds a final that is stored otherwise than it was sent", () => {
    expect(
      rulesOf((history) => {
        const [first, ...rest] = history.snapshots[1]!.finals;
        history.snapshots[1] = { ...history.snapshots[1]!, finals: [{ ...first!, text: "other" }, ...rest] };
      }),
    ).toEqual(["final-changed"]);
  });

  test("finds a final that came twice over the wire", () => {
    const verdict = check((history) => {
      const is = isNth("started", 1);
      changeWire(history, (event) =>
        is(event) ? [event, { kind: "final", stream: 1, sequence: 18, atMs: 0, final: finals[5]! }] : [event],
      );
    });
    expect(verdict.violations.map(({ rule }) => rule)).toContain("final-sent-again");
    expect(verdict.duplicatedFinals).toBe(1);
  });

  test("finds a final that the app saw twice", () => {
    expect(rulesOf((history) => history.seenByApp.splice(3, 0, finals[2]!))).toEqual(["final-seen-again"]);
  });

  test("finds a final that the app never saw", () => {
    expect(rulesOf((history) => history.seenByApp.splice(3, 1))).toEqual(["final-not-seen"]);
  });

  test("finds the same audio committed twice under two numbers", () => {
    const rules = rulesOf((history) =>
      changeEverywhere(history, (final) =>
        final.segmentIndex === 7 ? [final, { ...final, segmentIndex: 7.5 }] : [final],
      ),
    );
    expect(rules).toContain("overlapping-finals");
  });

  test("finds a word that two finals hold", () => {
    const rules = rulesOf((history) =>
      changeEverywhere(history, (final) => {
        const last = finals[6]!.words.at(-1)!;
        return final.segmentIndex === 7 ? [{ ...final, words: [last, ...final.words] }] : [final];
      }),
    );
    expect(rules).toContain("repeated-word");
  });

  test("finds finals in the wrong order", () => {
    const swap = (list: Final[]) => void ([list[8], list[9]] = [list[9]!, list[8]!]);
    expect(rulesOf((history) => swap(history.seenByApp))).toEqual(["order"]);
    expect(
      rulesOf((history) => {
        changeWire(history, (event) =>
          event.kind === "final" && (event.final.segmentIndex === 8 || event.final.segmentIndex === 9)
            ? [{ ...event, final: finals[17 - event.final.segmentIndex]! }]
            : [event],
        );
      }),
    ).toContain("order");
  });

  test("finds an acknowledgement that came before the words", () => {
    const early = (event: WireEvent): WireEvent[] =>
      event.kind === "ack" && event.throughSample === 4 * 3 * rate
        ? [{ ...event, throughSample: 4 * 3 * rate + rate }]
        : [event];
    const rules = rulesOf((history) => {
      changeWire(history, (event) =>
        event.kind === "sent" && event.firstSample < 15 * rate && event.firstSample >= 12 * rate
          ? []
          : [event],
      );
      changeWire(history, early);
    });
    expect(rules).toContain("ack-of-unsent");
    expect(rules).toContain("early-ack");
  });

  test("finds an acknowledgement that falls", () => {
    expect(
      rulesOf((history) => {
        const is = isNth("ack", 9);
        changeWire(history, (event) =>
          is(event) && event.kind === "ack" ? [{ ...event, throughSample: 5 }] : [event],
        );
      }),
    ).toEqual(["ack-fell"]);
  });

  test("finds finals whose times are off", () => {
    const later = <T extends { startMs: number; endMs: number }>(span: T): T => ({
      ...span,
      startMs: span.startMs + 500,
      endMs: span.endMs + 500,
    });
    expect(
      rulesOf((history) =>
        changeEverywhere(history, (final) =>
          final.segmentIndex === 11 ? [{ ...later(final), words: final.words.map(later) }] : [final],
        ),
      ),
    ).toEqual(["clock"]);
  });

  test("takes a stream that only tells the end again, in the same epoch, for sound", () => {
    expect(
      rulesOf((history) => {
        history.wire.push(
          { kind: "opened", stream: 2, atMs: 0, finalsReceived: finals.length },
          {
            kind: "started",
            stream: 2,
            sequence: 5_000,
            atMs: 0,
            sessionId: "s",
            epoch: 2,
            nextSample: totalSamples,
          },
          { kind: "summary", stream: 2, sequence: 5_001, atMs: 0, finals: [...finals] },
        );
      }),
    ).toEqual([]);
  });

  test("finds an epoch that was not raised, and numbers of events that do not follow", () => {
    expect(
      rulesOf((history) =>
        changeWire(history, (event) =>
          event.kind === "started" ? [{ ...event, epoch: 1, sequence: 1 }] : [event],
        ),
      ),
    ).toEqual(["sequence", "epoch"]);
  });

  test("finds a gap in what the client sent, and a gap that the server reports", () => {
    expect(
      rulesOf((history) => {
        const is = isNth("sent", 30);
        changeWire(history, (event) => (is(event) ? [] : [event]));
      }),
    ).toEqual(["client-hole"]);
    const verdict = check((history) => {
      const is = isNth("ack", 3);
      changeWire(history, (event) =>
        is(event)
          ? [
              event,
              { kind: "gap", stream: 0, sequence: 9.5, atMs: 0, firstSample: 1, endSample: 2, reason: "x" },
            ]
          : [event],
      );
    });
    expect(verdict.gaps).toBe(1);
  });

  test.each<[string, (history: Draft) => void]>([
    ["failed", (history) => Object.assign(history, { failure: "unavailable" })],
    ["is not completed", (h) => (h.snapshots[1] = { ...h.snapshots[1]!, isCompleted: false })],
    ["has no summary", (h) => changeWire(h, (event) => (event.kind === "summary" ? [] : [event]))],
    ["is not acknowledged to its end", (h) => Object.assign(h, { totalSamples: totalSamples + 1 })],
  ])("finds a session that %s", (_, change) => {
    expect(rulesOf(change)).toContain("not-ended");
  });

  test("finds a summary that lacks a final", () => {
    expect(
      rulesOf((history) =>
        changeWire(history, (event) =>
          event.kind === "summary" ? [{ ...event, finals: event.finals.slice(1) }] : [event],
        ),
      ),
    ).toEqual(["final-lost"]);
  });
});
