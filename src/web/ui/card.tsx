/** A sheet on the page: one subject, with its heading and what can be done to it. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface CardProps {
  /** Absent: the card has no heading, and is no landmark. */
  readonly title?: ComponentChildren;
  /** Beside the heading. */
  readonly actions?: ComponentChildren;
  /** One sentence below the heading. */
  readonly lead?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Card({ title, actions, lead, class: more = "", children }: CardProps) {
  const id = useId();
  const name = `card ${more}`.trim();
  if (title === undefined) return <div class={name}>{children}</div>;
  return (
    <section class={name} aria-labelledby={id}>
      <header class="card-header">
        <div>
          <h2 id={id}>{title}</h2>
          {lead !== undefined && <p class="soft">{lead}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
