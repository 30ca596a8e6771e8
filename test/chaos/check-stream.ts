/**
 * Judges what went over the wire: sequence, epochs, order of finals, and acknowledgements against what was sent. Knows
 * neither the words that were said nor the database.
 */
import type { Final, Rule, SessionHistory, Violation, WireEvent } from "./history.ts";

export function checkStream(history: SessionHistory): Violation[] {
  const violations: Violation[] = [];
  const broken = (rule: Rule, detail: string) =>
    void violations.push({ rule, session: history.name, detail });
  const state = {
    stream: -1,
    isStarted: false,
    sequence: 0,
    epoch: 0,
    sentThrough: 0,
    nextSent: undefined as number | undefined,
    nextSample: 0,
    acknowledged: 0,
    /** Of the finals that came, those that the client does not ask for again. */
    received: [] as Final[],
  };
  for (const event of history.wire) {
    if (event.kind === "opened") {
      state.stream = event.stream;
      state.isStarted = false;
      state.nextSent = undefined;
      state.received = state.received.slice(0, event.finalsReceived ?? 0);
    } else if (event.kind === "sent") {
      checkSent(event);
    } else if (event.kind !== "closed") {
      checkSequence(event);
      checkEvent(event);
    }
  }
  return violations;

  function checkSent(event: Extract<WireEvent, { kind: "sent" }>): void {
    const { firstSample, samples } = event;
    const expected = state.nextSent;
    if (expected === undefined ? firstSample > state.nextSample : firstSample !== expected) {
      broken(
        "client-hole",
        `audio from ${firstSample} was sent where ${expected ?? state.nextSample} was due`,
      );
    }
    state.nextSent = firstSample + samples;
    state.sentThrough = Math.max(state.sentThrough, state.nextSent);
  }

  function checkSequence(event: Extract<WireEvent, { sequence: number }>): void {
    const follows = state.isStarted ? event.sequence === state.sequence + 1 : event.sequence > state.sequence;
    if (!follows) broken("sequence", `${event.kind} has ${event.sequence} after ${state.sequence}`);
    if (!state.isStarted && event.kind !== "started") broken("sequence", `${event.kind} before the start`);
    state.sequence = event.sequence;
    state.isStarted = true;
  }

  function checkEvent(event: Extract<WireEvent, { sequence: number }>): void {
    switch (event.kind) {
      case "started":
        // The end of a session that is completed is told again without continuing it.
        if (
          event.nextSample === history.totalSamples ? event.epoch < state.epoch : event.epoch <= state.epoch
        ) {
          broken("epoch", `epoch ${event.epoch} after ${state.epoch}`);
        }
        if (event.nextSample < state.acknowledged) {
          broken(
            "lost-samples",
            `to go on at ${event.nextSample} though ${state.acknowledged} is acknowledged`,
          );
        }
        if (event.nextSample > state.sentThrough) {
          broken("ack-of-unsent", `to go on at ${event.nextSample}, sent only ${state.sentThrough}`);
        }
        state.epoch = event.epoch;
        state.nextSample = event.nextSample;
        return;
      case "ack":
        if (event.throughSample < state.acknowledged) {
          broken("ack-fell", `from ${state.acknowledged} to ${event.throughSample}`);
        }
        if (event.throughSample > state.sentThrough) {
          broken("ack-of-unsent", `${event.throughSample}, sent only ${state.sentThrough}`);
        }
        state.acknowledged = Math.max(state.acknowledged, event.throughSample);
        return;
      case "final": {
        const { segmentIndex, startMs } = event.final;
        const last = state.received.at(-1);
        if (state.received.some((final) => final.segmentIndex === segmentIndex)) {
          broken("final-sent-again", `segment ${segmentIndex}`);
        } else if (last && (segmentIndex < last.segmentIndex || startMs < last.endMs - 1)) {
          broken(
            "order",
            `segment ${segmentIndex} (from ${startMs} ms) after ${last.segmentIndex} (${last.endMs})`,
          );
        }
        state.received.push(event.final);
        return;
      }
      case "gap":
        broken("gap", `${event.firstSample} to ${event.endSample}: ${event.reason}`);
        return;
      case "speech":
      case "summary":
      case "other":
        return;
    }
  }
}
