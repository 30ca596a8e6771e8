/** What revocations need of a database. Implemented in storage/. */

/** What the tokens have in common that are taken back. */
export type RevocationSelector =
  /** The one with this id, or all of the family with this id; with `userId`, only if they are this user's. */
  | { readonly tokenId: string; readonly userId?: string }
  | { readonly userId: string }
  /** Those for the room; with `userId`, only this user's. */
  | { readonly roomName: string; readonly userId?: string };

export interface Revocation {
  readonly selector: RevocationSelector;
  /** Tokens that were issued later are not concerned. */
  readonly revokeTime: Date;
  /** From here on no token that it concerns can be good. */
  readonly expireTime: Date;
}

export interface RevocationStore {
  /** One for each selector; of two the later counts. */
  keep(revocation: Revocation): Promise<void>;
  /** All that have not expired by then. */
  list(now: Date): Promise<Revocation[]>;
  deleteExpired(before: Date): Promise<void>;
}
