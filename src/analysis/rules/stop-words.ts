/**
 * English words that say little by themselves. Owns the list; compares plain forms, never stems.
 */

const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a about above after again against all also am an and any are aren't as at be because been before being below " +
    "between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each even " +
    "few for from further get gets getting go going gone got had hadn't has hasn't have haven't having he he'd he'll " +
    "he's her here here's hers herself him himself his how how's i i'd i'll i'm i've if in into is isn't it it's its " +
    "itself just let let's lot lots made make makes many may me might more most much must my myself no nor not now of " +
    "off on once one ones only onto or other our ours ourselves out over own quite really said same say says she she'd " +
    "she'll she's should shouldn't so some something such than that that's the their theirs them themselves then there " +
    "there's these they they'd they'll they're they've thing things this those through to too under until up upon us " +
    "very was wasn't we we'd we'll we're we've well went were weren't what what's when when's where where's which " +
    "while who who's whom why why's will with within without won't would wouldn't yeah yes yet you you'd you'll you're " +
    "you've your yours yourself yourselves"
  ).split(" "),
);

export function isStopWord(plain: string): boolean {
  return STOP_WORDS.has(plain);
}
