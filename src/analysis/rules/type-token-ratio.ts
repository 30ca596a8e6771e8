/**
 * Variety of words that does not fall merely because somebody speaks longer. Owns the formula; never what is good.
 */

/**
 * Moving-average type-token ratio (Covington and McFall 2010, "Cutting the Gordian Knot", Journal of Quantitative
 * Linguistics 17): the mean, over every run of `window` words, of different words by words. 0 to 1. Undefined for fewer
 * words than a window. O(n).
 */
export function typeTokenRatio(words: readonly string[], window: number): number | undefined {
  if (words.length < window) return undefined;
  const counts = new Map<string, number>();
  let sum = 0;
  words.forEach((word, index) => {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    const leaving = words[index - window];
    if (leaving !== undefined) {
      const left = (counts.get(leaving) ?? 1) - 1;
      if (left === 0) counts.delete(leaving);
      else counts.set(leaving, left);
    }
    if (index >= window - 1) sum += counts.size / window;
  });
  return sum / (words.length - window + 1);
}
