/** The colours of tokens.css as a canvas needs them: by value. */

export interface ChartTheme {
  readonly ink: string;
  readonly inkSoft: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly warning: string;
  /** `font` of a canvas, for axes. */
  readonly font: string;
}

export function readTheme(element: Element): ChartTheme {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"),
    inkSoft: read("--ink-soft"),
    line: read("--line"),
    surface: read("--surface"),
    accent: read("--accent"),
    accentSoft: read("--accent-soft"),
    warning: read("--warning"),
    font: `12px ${read("--font-ui")}`,
  };
}
