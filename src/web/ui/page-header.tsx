/** The heading of a view: it takes the focus when the view is opened, and names the browser's tab. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface PageHeaderProps {
  readonly title: string;
  /** One sentence below the title. */
  readonly lead?: ComponentChildren;
  /** Buttons beside the title. */
  readonly actions?: ComponentChildren;
}

let opened = 0;

export function PageHeader({ title, lead, actions }: PageHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  useEffect(() => {
    // Not on the first page: there the browser's own start is the right one.
    if (opened++ > 0) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header class="page-header">
      <div>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {actions !== undefined && <div class="actions">{actions}</div>}
    </header>
  );
}
