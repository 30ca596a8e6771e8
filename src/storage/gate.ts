/**
 * Stands before every store: turns what is rejected into a StorageError, counts what is under way, and lets nothing in
 * once closed. It retries nothing.
 */
import { StorageError, toStorageError } from "./storage-error.ts";

export class Gate {
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** The same methods, guarded. Every method of `store` must return a promise. */
  around<Store extends object>(store: Store): Store {
    const guarded = Object.entries(store).map(([name, method]) => [
      name,
      (...args: unknown[]) => this.#run(() => (method as (...args: unknown[]) => Promise<unknown>)(...args)),
    ]);
    return Object.fromEntries(guarded) as Store;
  }

  /** Closes the gate, waits for what is inside, then calls `close`, once. */
  closeOnce(close: () => Promise<void>): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#underWay).then(close);
    return this.#closed;
  }

  async #run(call: () => Promise<unknown>): Promise<unknown> {
    if (this.#closed) throw new StorageError("unavailable", "the storage is closed");
    const answer = call();
    this.#underWay.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw toStorageError(error);
    } finally {
      this.#underWay.delete(answer);
    }
  }
}
