/** Named JSON documents of users: kept as they are, and read by nobody but their user. */
import { AnalysisError } from "./analysis-error.ts";
import type { UserModule, UserModuleStore } from "./user-module-store.ts";

export interface UserModulesOptions {
  readonly store: UserModuleStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const maxOwned = 200;
/** As JSON. */
const maxDocumentBytes = 256 * 1024;

export class UserModules {
  readonly #options: UserModulesOptions;

  constructor(options: UserModulesOptions) {
    this.#options = options;
  }

  /** Throws AnalysisError `invalid`, `limit`. */
  async save(module: Omit<UserModule, "updateTime">): Promise<UserModule> {
    const { store, now } = this.#options;
    if (Buffer.byteLength(JSON.stringify(module.document)) > maxDocumentBytes)
      throw new AnalysisError("invalid", `document: expected at most ${maxDocumentBytes} bytes of JSON`);
    const saved = { ...module, updateTime: new Date(now()) };
    if (await store.saveWithin(saved, maxOwned)) return saved;
    throw new AnalysisError(
      "limit",
      `module_name: a user may keep ${maxOwned} documents; save under one of their names`,
    );
  }

  list(userId: string): Promise<UserModule[]> {
    return this.#options.store.list(userId);
  }
}
