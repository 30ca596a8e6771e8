/**
 * One child process of the offline engine, started when first needed and again after it died. It owns the process and
 * the streams in it; it never chooses which process a stream goes to.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { EngineError, type EngineStreamOptions } from "../speech-engine.ts";
import { ProcessStream } from "./process-stream.ts";
import type { ChildMessage, ModelPaths, ParentMessage } from "./protocol.ts";

/** After a process that died before it had loaded, the next start waits: this long, doubled each time, at most 30 s. */
const firstBackoffMs = 500;
const longestBackoffMs = 30_000;
/** A small JavaScript heap: audio and tensors live outside it. */
const execArgv = ["--max-semi-space-size=1", "--max-old-space-size=128", "--no-warnings"];

const defaultWatchEveryMs = 5_000;
/** A process that has said nothing for so many looks in a row, and owes something, hangs; decoding takes a second at most. */
const maxSilentLooks = 4;

export interface ProcessExit {
  readonly pid: number | undefined;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Streams that ended with it. */
  readonly streams: number;
}

export interface EngineProcessOptions {
  /** Resolves to verified model files, however long that takes. */
  readonly models: () => Promise<ModelPaths>;
  readonly onExit: (exit: ProcessExit) => void;
  /** How often a silent process is looked at, in milliseconds. Default 5000. */
  readonly watchEveryMs?: number;
  /** Milliseconds, of any origin. Default: performance.now. */
  readonly now?: () => number;
}

export class EngineProcess {
  readonly #options: EngineProcessOptions;
  readonly #streams = new Map<number, ProcessStream>();
  #child: ChildProcess | undefined;
  #loaded: Promise<ChildProcess> | undefined;
  #ready = false;
  #nextStream = 1;
  #failures = 0;
  #notBefore = 0;
  #closed = false;
  #watch: NodeJS.Timeout | undefined;
  #silentLooks = 0;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Rejects with an EngineError when the process cannot be had now. */
  async open(stream: EngineStreamOptions, signal: AbortSignal): Promise<ProcessStream> {
    const child = await this.start();
    signal.throwIfAborted();
    const id = this.#nextStream++;
    const abort = (): void => opened.abort();
    const opened = new ProcessStream({
      id,
      stream,
      send: (message) => send(child, message),
      onClosed: () => {
        this.#streams.delete(id);
        signal.removeEventListener("abort", abort);
      },
    });
    this.#streams.set(id, opened);
    this.#watch ??= setInterval(
      () => this.#look(),
      this.#options.watchEveryMs ?? defaultWatchEveryMs,
    ).unref();
    signal.addEventListener("abort", abort);
    return opened;
  }

  /** Starts the process if there is none, and resolves when its models are loaded. */
  start(): Promise<ChildProcess> {
    if (this.#closed) return Promise.reject(new EngineError("unavailable", "the offline engine is closed"));
    if (this.#loaded === undefined) {
      const now = this.#now();
      if (now < this.#notBefore) {
        const seconds = Math.ceil((this.#notBefore - now) / 1000);
        const text = `the offline engine's process keeps failing; next try in ${seconds} s`;
        return Promise.reject(new EngineError("unavailable", text));
      }
      const loading = this.#load();
      this.#loaded = loading;
      loading.catch(() => {
        if (this.#loaded === loading) this.#loaded = undefined;
      });
    }
    return this.#loaded;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    const child = this.#child;
    this.#failStreams("the offline engine was closed");
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await gone;
  }

  async #load(): Promise<ChildProcess> {
    const models = await this.#options.models();
    if (this.#closed) throw new EngineError("unavailable", "the offline engine is closed");
    // An environment of its own keeps the server's secrets out of the process that parses model files and audio.
    const child = fork(fileURLToPath(childModule), [], { serialization: "advanced", execArgv, env: {} });
    this.#child = child;
    return new Promise((resolve, reject) => {
      let failure = new EngineError("unavailable", "the offline engine's process ended while it was loading");
      child.on("message", (message) => {
        const received = message as ChildMessage;
        this.#silentLooks = 0;
        if (received.type === "loaded") {
          this.#ready = true;
          this.#failures = 0;
          resolve(child);
        } else if (received.type === "load-failed") {
          failure = new EngineError(
            "internal",
            `the offline engine's models cannot be loaded: ${received.reason}`,
          );
        } else {
          this.#streams.get(received.stream)?.receive(received);
        }
      });
      child.on("error", (error) => {
        if (child.pid === undefined) this.#gone(child, null, null);
        const text = `the offline engine's process cannot be started: ${error.message}`;
        reject(new EngineError("unavailable", text, { cause: error }));
      });
      child.on("exit", (code, signal) => {
        this.#gone(child, code, signal);
        reject(failure);
      });
      send(child, { type: "load", models });
    });
  }

  /** Ends a process that hangs: what it owes is then asked of the next one. */
  #look(): void {
    const isOwed = [...this.#streams.values()].some((stream) => stream.isWaiting);
    this.#silentLooks = isOwed ? this.#silentLooks + 1 : 0;
    if (this.#silentLooks > maxSilentLooks) this.#child?.kill("SIGKILL");
    if (this.#streams.size === 0) this.#stopWatching();
  }

  #stopWatching(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#silentLooks = 0;
  }

  #gone(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child !== child) return;
    const streams = this.#streams.size;
    if (!this.#ready) {
      const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failures++);
      this.#notBefore = this.#now() + backoffMs;
    }
    this.#child = undefined;
    this.#loaded = undefined;
    this.#ready = false;
    this.#stopWatching();
    this.#failStreams("the offline engine's process is gone");
    if (!this.#closed) this.#options.onExit({ pid: child.pid, code, signal, streams });
  }

  #failStreams(reason: string): void {
    for (const stream of [...this.#streams.values()]) stream.fail(new EngineError("unavailable", reason));
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }
}

/** The same module as this file runs as: source beside source, built beside built. */
const childModule = new URL(
  import.meta.url.endsWith(".ts") ? "./engine-child.ts" : "./engine-child.js",
  import.meta.url,
);

/** A process that has just died swallows the message: its exit reports the loss. */
function send(child: ChildProcess, message: ParentMessage): void {
  if (child.connected) child.send(message, () => undefined);
}
