/**
 * A client, two replicas and a database, all in this process, with every step in between under a test's control: when a
 * commit reaches the database, when an engine's result comes, when a replica dies. Checks the promises after every step.
 */
import assert from "node:assert/strict";
import { EngineChoice } from "../../../src/transcription/engines/engine-choice.ts";
import { SessionError } from "../../../src/transcription/session-error.ts";
import type { SessionStore } from "../../../src/transcription/session-store.ts";
import { LiveSessions } from "../../../src/transcription/session/live-sessions.ts";
import { Session } from "../../../src/transcription/session/session.ts";
import type { SessionEvent, TranscriptEvent } from "../../../src/transcription/session/session-events.ts";
import { defaultSessionLimits } from "../../../src/transcription/session/session-options.ts";
import { createLateEngine } from "../../fakes/late-engine.ts";
import { createManualClock, settle } from "../../fakes/manual-clock.ts";
import { createMarkerEngine } from "../../fakes/marker-engine.ts";
import { createMemorySessionStore } from "./memory-session-store.ts";

const rate = 16_000;
const speaker = { userId: "ann", roomName: "room", participantIdentity: "ann" };

interface SpokenWord {
  readonly text: string;
  readonly startSample: number;
  readonly endSample: number;
}

/** One process: what it asks of the database waits to be let through, and after its death nothing of it arrives. */
class Replica {
  readonly sessions: LiveSessions;
  readonly engine = createLateEngine(createMarkerEngine());
  #pending: { apply: () => Promise<void>; done: PromiseWithResolvers<undefined> }[] = [];
  #isDead = false;
  #isHolding: () => boolean;

  constructor(
    database: SessionStore,
    world: { isHolding: () => boolean; clock: ReturnType<typeof createManualClock> },
  ) {
    this.#isHolding = world.isHolding;
    if (!world.isHolding()) this.engine.releaseAll();
    const never = new Promise<never>(() => undefined);
    const methods = Object.entries(database).filter(([, method]) => typeof method === "function");
    const alive = Object.fromEntries(
      methods.map(([name, method]) => [
        name,
        (...args: unknown[]) =>
          this.#isDead ? never : (method as (...args: unknown[]) => Promise<unknown>)(...args),
      ]),
    ) as unknown as SessionStore;
    this.sessions = new LiveSessions({
      store: { ...alive, commit: (...args) => this.#commit(() => alive.commit(...args)) },
      engines: new EngineChoice([this.engine], world.clock),
      clock: world.clock,
      limits: defaultSessionLimits,
      queueAnalysis: () => Promise.resolve(),
      onProblem: () => undefined,
    });
  }

  /** Lets the oldest commit reach the database, and its answer come back. */
  letCommit(): void {
    const next = this.#pending.shift();
    if (next) next.apply().then(() => next.done.resolve(undefined), next.done.reject);
  }

  letAll(): void {
    while (this.#pending.length > 0) this.letCommit();
    this.engine.releaseAll();
  }

  /** `arrives`: a commit that is under way reaches the database, but nobody hears of it. */
  die(arrives: boolean): void {
    if (arrives) void this.#pending[0]?.apply().catch(() => undefined);
    this.#isDead = true;
    this.#pending = [];
  }

  #commit(apply: () => Promise<void>): Promise<void> {
    if (!this.#isHolding()) return apply();
    const done = Promise.withResolvers<undefined>();
    this.#pending.push({ apply, done });
    return done.promise;
  }
}

export class ModelWorld {
  readonly #clock = createManualClock();
  readonly #database = createMemorySessionStore(this.#clock.now);
  readonly #replicas: Replica[];
  readonly #audio: Int16Array;
  readonly #words: readonly SpokenWord[];
  #isHolding = true;
  // What the client knows.
  #identity: { sessionId: string; resumeToken: string } | undefined;
  #stream: { session: Session; sending: Promise<void>; at: number } | undefined;
  #acknowledged = 0;
  #sequence = 0;
  #finals: TranscriptEvent[] = [];
  #summary: Extract<SessionEvent, { type: "summary" }> | undefined;
  /** What the client has recorded: it can send again from its last acknowledgement, and no farther than here. */
  #recorded = 0;
  #streams = 0;

  constructor(audio: Int16Array, words: readonly SpokenWord[]) {
    this.#audio = audio;
    this.#words = words;
    this.#replicas = [this.#start(), this.#start()];
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get streams(): number {
    return this.#streams;
  }

  async open(): Promise<void> {
    const session = await this.#replicas[0]!.sessions.open({
      ...speaker,
      token: { tokenId: "token", expireTime: new Date(this.#clock.now() + 7_200_000) },
      format: { encoding: "linear16", sampleRateHz: rate, channelCount: 1 },
      languageCode: "en",
      interimResults: true,
      analyzeOnEnd: false,
      keyterms: [],
      diarize: false,
    });
    this.#read(session);
    await this.#settle();
  }

  /** The client records so much more, and sends it if it has a stream. */
  async record(samples: number): Promise<void> {
    this.#recorded = Math.min(this.#audio.length, this.#recorded + samples);
    this.#send();
    await this.#settle();
  }

  async commit(replica: number): Promise<void> {
    this.#replicas[replica]!.letCommit();
    await this.#settle();
  }

  async hear(replica: number, results: number): Promise<void> {
    this.#replicas[replica]!.engine.release(results);
    await this.#settle();
  }

  /** The connection breaks; the server hears of it, or not. */
  async cut(isNoticed: boolean): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (isNoticed) stream?.session.fail(new SessionError("client-gone", "the client is gone"));
    await this.#settle();
  }

  /** kill -9, and another process in its place. */
  async kill(replica: number, arrives: boolean): Promise<void> {
    const dead = this.#replicas[replica]!;
    if (this.#stream && dead.sessions.count > 0) this.#stream = undefined;
    dead.die(arrives);
    this.#replicas[replica] = this.#start();
    await this.#settle();
  }

  /** The client continues, also while its older stream is open. */
  async resume(replica: number): Promise<void> {
    if (!this.#identity || this.#summary) return;
    this.#stream = undefined;
    const opened = await this.#replicas[replica]!.sessions.resume({
      ...this.#identity,
      speaker,
      token: { tokenId: "token", expireTime: new Date(this.#clock.now() + 7_200_000) },
      finalsReceived: this.#finals.length,
      format: {},
    });
    assert.ok(opened instanceof Session, "a session that is not complete is continued");
    assert.ok(opened.firstSequence > this.#sequence, "numbers go on");
    this.#read(opened);
    await this.#settle();
    this.#send();
    await this.#settle();
  }

  async pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    this.#check();
  }

  /** Nothing is held back any more; the client continues, sends the rest, half-closes, and gets the summary. */
  async finish(): Promise<void> {
    this.#isHolding = false;
    for (const replica of this.#replicas) replica.letAll();
    await this.#settle();
    await this.resume(0);
    this.#recorded = this.#audio.length;
    this.#send();
    const stream = this.#stream;
    assert.ok(stream, "the stream is open");
    const ended = stream.sending.then(() => stream.session.complete());
    for (let turn = 0; turn < 20 && !this.#summary; turn++) await this.pass(1000);
    await ended;
    await this.#settle();
    const heard = this.#summary?.summary.words.map((word) => [word.text, word.startMs]);
    const said = this.#words.map((word) => [word.text, (word.startSample * 1000) / rate]);
    assert.deepEqual(heard, said, "every word is there once, in its place");
    assert.equal(this.#acknowledged, this.#audio.length, "all audio is acknowledged");
    const stored = this.#database.committed.map((segment) => segment.segmentIndex);
    assert.deepEqual(
      this.#finals.map((final) => final.segmentIndex),
      stored,
      "the client has every final once, in the order of the commits",
    );
  }

  #start(): Replica {
    return new Replica(this.#database, { isHolding: () => this.#isHolding, clock: this.#clock });
  }

  #read(session: Session): void {
    const stream = { session, sending: Promise.resolve(), at: -1 };
    this.#stream = stream;
    this.#streams += 1;
    let sequence = session.firstSequence;
    void (async () => {
      for await (const event of session.events) {
        if (this.#stream !== stream) return; // nobody is there to receive it
        assert.ok(sequence > this.#sequence, "numbers ascend");
        this.#sequence = sequence++;
        this.#take(event, stream);
      }
    })().catch(() => {
      if (this.#stream === stream) this.#stream = undefined;
    });
  }

  #take(event: SessionEvent, stream: { at: number }): void {
    if (event.type === "started") {
      assert.ok(event.nextSample >= this.#acknowledged, "nothing acknowledged is asked for again");
      assert.ok(event.nextSample <= this.#recorded, "nothing is skipped that was never sent");
      this.#identity = { sessionId: event.sessionId, resumeToken: event.resumeToken };
      stream.at = event.nextSample;
      this.#acknowledged = event.nextSample; // what is committed need not be kept
    }
    if (event.type === "ack") {
      assert.ok(event.throughSample >= this.#acknowledged, "acknowledgements never fall");
      this.#acknowledged = event.throughSample;
    }
    if (event.type === "transcript" && event.isFinal) this.#finals.push(event);
    if (event.type === "summary") this.#summary = event;
  }

  #send(): void {
    const stream = this.#stream;
    if (!stream || stream.at < 0) return;
    for (; stream.at < this.#recorded; stream.at += rate / 2) {
      const from = stream.at;
      const piece = this.#audio.subarray(from, Math.min(from + rate / 2, this.#recorded));
      const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      stream.sending = stream.sending.then(() => stream.session.audio(from, bytes));
    }
    stream.at = this.#recorded;
  }

  async #settle(): Promise<void> {
    await settle();
    this.#check();
  }

  #check(): void {
    const { committed } = this.#database;
    const heard = committed.flatMap((segment) => segment.words);
    const keys = heard.map((word) => `${word.text}@${word.startMs}`);
    assert.equal(new Set(keys).size, keys.length, "no word is committed twice");
    for (const word of this.#words) {
      if (word.endSample > this.#acknowledged) break;
      const key = `${word.text}@${(word.startSample * 1000) / rate}`;
      assert.ok(keys.includes(key), `${key} is acknowledged, and not committed`);
    }
    const indexes = committed.map((segment) => segment.segmentIndex);
    assert.equal(new Set(indexes).size, indexes.length, "no segment is committed twice");
    const ends = committed.map((segment) => segment.endSample);
    for (const [index, segment] of committed.entries())
      assert.ok(index === 0 || segment.startSample >= (ends[index - 1] ?? 0), "finals do not overlap");
    const stored = new Map(committed.map((segment) => [segment.segmentIndex, segment.text]));
    const seen = new Set<number>();
    for (const final of this.#finals) {
      assert.ok(!seen.has(final.segmentIndex), "the client gets a final once");
      seen.add(final.segmentIndex);
      assert.equal(stored.get(final.segmentIndex), final.text, "a final is committed before it is sent");
    }
  }
}
