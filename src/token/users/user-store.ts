/** What the record of users needs of a database. Implemented in storage/. */

export interface StoredUser {
  readonly userId: string;
  /** By whose login they were first seen, and under which name it knows them. */
  readonly issuer: string;
  readonly subject: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly createTime: Date;
  /** When the name or the e-mail last changed. */
  readonly updateTime: Date;
}

export type SeenUser = Omit<StoredUser, "createTime" | "updateTime">;

export interface UserStore {
  /**
   * Keeps a user who is new, and the name and e-mail of a known one where they are other ones now. What a login does not say
   * stays as it was: not every token of a person says everything.
   */
  see(user: SeenUser, now: Date): Promise<void>;
  get(userId: string): Promise<StoredUser | undefined>;
}
