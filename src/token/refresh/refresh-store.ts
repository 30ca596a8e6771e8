/** What refresh tokens need of a database: only how far each family was spent. Implemented in storage/. */

export interface Spending {
  readonly familyId: string;
  readonly generation: number;
  /** Which replica spends it. */
  readonly replicaId: string;
  /** From here on no token of the family can be good. */
  readonly expireTime: Date;
}

export interface LastSpending {
  readonly generation: number;
  readonly replicaId: string;
  /** How long ago by the database's clock, in milliseconds. */
  readonly agoMs: number;
}

export interface RefreshStore {
  /**
   * Spends this generation of the family, and all before it. Of several that try at once one succeeds. Undefined when it
   * did; otherwise what had been spent by then.
   */
  spend(spending: Spending): Promise<LastSpending | undefined>;
  deleteExpired(before: Date): Promise<void>;
}
