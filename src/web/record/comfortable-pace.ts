/** The band of pace that reports call comfortable, in words a minute, for drawing it. A test holds it to the rules' own. */
export const comfortableWpm = { from: 120, to: 160 };
