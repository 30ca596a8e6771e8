/** Time as it is passed in, for Node and browsers; the shape is that of the server's clock. */

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls back once, after so many milliseconds; the returned function takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** The real one. Its timers keep a Node process alive: a transcription that waits to reconnect is not over. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
