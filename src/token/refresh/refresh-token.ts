/** Placeholder filled below. */
export const refreshTokenAudience = "parley-refresh";
