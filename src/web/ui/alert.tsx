/** Something that the user should know now. The icon and the words say the kind, not the colour alone. */
import type { ComponentChildren } from "preact";
import { Icon } from "./icon.tsx";

export interface AlertProps {
  readonly kind: "info" | "success" | "warning" | "danger";
  /** A few words, in bold. */
  readonly title?: string;
  readonly children?: ComponentChildren;
  /** What can be done about it. */
  readonly actions?: ComponentChildren;
}

const icons = { info: "info", success: "check", warning: "warning", danger: "warning" } as const;

/** Read out when it appears: `danger` at once, the others when the reader pauses. */
export function Alert({ kind, title, children, actions }: AlertProps) {
  return (
    <div class={`alert ${kind}`} role={kind === "danger" ? "alert" : "status"}>
      <Icon name={icons[kind]} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        {children !== undefined && <div>{children}</div>}
      </div>
      {actions !== undefined && <div class="actions">{actions}</div>}
    </div>
  );
}
