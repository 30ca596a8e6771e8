/** A state in a word or two, with a dot whose shape differs as well as its colour. */
import type { ComponentChildren } from "preact";

export interface BadgeProps {
  /** `live` pulses, unless the user wants less motion. Default `neutral`. */
  readonly tone?: "neutral" | "live" | "success" | "warning" | "danger";
  readonly children: ComponentChildren;
}

export function Badge({ tone = "neutral", children }: BadgeProps) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
