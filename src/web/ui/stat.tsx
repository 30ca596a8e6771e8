/** One figure, large, with what it is. To stand in a `<dl class="stats">`. */
import type { ComponentChildren } from "preact";

export interface StatProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly unit?: string;
  /** How to take it. */
  readonly note?: ComponentChildren;
}

export function Stat({ label, value, unit, note }: StatProps) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd>
        <span class="stat-value">{value}</span>
        {unit !== undefined && <span class="stat-unit"> {unit}</span>}
        {note !== undefined && <span class="stat-note">{note}</span>}
      </dd>
    </div>
  );
}
