/** How often one may ask, in calls a minute; a whole minute's calls may come at once. */
export interface RateLimitValues {
  /** Calls that make tokens, and changes of rooms, by one user. Default 60. */
  readonly mintsPerUser: number;
  /** Calls of ValidateToken by one user or participant. Default 120. */
  readonly validationsPerUser: number;
  /** Streams that one participant opens. Default 120: one that a bad network breaks every other second gets through. */
  readonly streamsPerParticipant: number;
  /** All of these by one API key, which acts for many users. Default 60000. */
  readonly callsPerService: number;
  /**
   * All of these from one IPv4 address or IPv6 /64 network, but for those with a good API key; refused credentials and
   * refresh tokens count too. Default 3000.
   */
  readonly callsPerAddress: number;
}

export const defaultRateLimits: RateLimitValues = {
  mintsPerUser: 60,
  validationsPerUser: 120,
  streamsPerParticipant: 120,
  callsPerService: 60_000,
  callsPerAddress: 3000,
};
