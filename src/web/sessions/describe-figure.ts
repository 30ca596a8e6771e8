/** What a figure of the server is called in the studio, which way is better, and between what it is comfortable. */

export interface DescribedFigure {
  readonly title: string;
  /** As it stands after a value: "words/min". */
  readonly unit: string;
}

/** Names of `ProgressSeries.figure`. */
const titles: Readonly<Record<string, string>> = {
  average_pace: "Pace",
  articulation_rate: "Articulation",
  fillers_per_minute: "Fillers a minute",
  fillers_per_100_words: "Fillers in 100 words",
  filler_count: "Fillers",
  pause_count: "Pauses",
  long_pause_count: "Long pauses",
  pauses_per_minute: "Pauses a minute",
  long_pauses_per_minute: "Long pauses a minute",
  duration_ms: "Length",
  speaking_ms: "Speaking time",
  total_words: "Words",
  pitch_spread: "Pitch variety",
  loudness_spread: "Loudness variety",
  overall_score: "Overall score",
};

/** In this order; those with other names come after, in the server's order. */
export const figureOrder: readonly string[] = Object.keys(titles);

export function describeFigure(figure: string, unit: string): DescribedFigure {
  const words = figure.replace(/_/g, " ");
  return { title: titles[figure] ?? words.charAt(0).toUpperCase() + words.slice(1), unit };
}
