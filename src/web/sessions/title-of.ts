/** What the server's figures are called in the studio. */

/** By `ProgressSeries.figure`. */
const titles: Readonly<Record<string, string>> = {
  overall_score: "Overall score",
  average_pace: "Pace",
  articulation_rate: "Articulation",
  fillers_per_minute: "Fillers",
  pauses_per_minute: "Pauses",
  long_pauses_per_minute: "Long pauses",
  speaking_share: "Time spent speaking",
};

/** A figure that a later server has is called what the server calls it. */
export function titleOf(figure: string): string {
  const words = figure.replaceAll("_", " ");
  return titles[figure] ?? words.charAt(0).toUpperCase() + words.slice(1);
}
