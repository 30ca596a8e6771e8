/** What users' own documents need of a database. Implemented in storage/. */

export interface UserModule {
  readonly userId: string;
  readonly moduleName: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly updateTime: Date;
}

export interface UserModuleStore {
  /** Replaces one of that name. False when it would be a new one and the user has `maxOwned`; holds also for calls at once. */
  saveWithin(module: UserModule, maxOwned: number): Promise<boolean>;
  /** By name. */
  list(userId: string): Promise<UserModule[]>;
}
