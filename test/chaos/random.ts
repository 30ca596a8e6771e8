/** Numbers that look random and follow from a seed alone (mulberry32), so that a plan can be made again. */

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** In [least, most). */
  between(least: number, most: number): number;
  pick<T>(values: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (least, most) => least + (most - least) * next(),
    pick: (values) => values[Math.floor(next() * values.length)]!,
  };
}
