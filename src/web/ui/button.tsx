/** Buttons, and links that look like them. */
import type { ButtonHTMLAttributes, AnchorHTMLAttributes } from "preact";
import { Icon, type IconName } from "./icon.tsx";

interface Look {
  /** `primary`: the one thing to do here. `quiet`: without a frame. Default `secondary`. */
  readonly kind?: "primary" | "secondary" | "quiet" | "danger";
  readonly size?: "small" | "medium" | "large";
  /** Before the words; adds nothing for screen readers. */
  readonly icon?: IconName;
}

export type ButtonProps = Look &
  ButtonHTMLAttributes & {
    /** Work is under way: stays where it is, keeps the focus, and does nothing. */
    readonly busy?: boolean;
  };

export function Button({ kind, size, icon, busy = false, children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class={lookOf({ kind, size }, rest.class)}
      aria-busy={busy ? "true" : undefined}
      aria-disabled={busy ? "true" : rest["aria-disabled"]}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function ButtonLink({ kind, size, icon, children, ...rest }: Look & AnchorHTMLAttributes) {
  return (
    <a {...rest} class={lookOf({ kind, size }, rest.class)}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </a>
  );
}

function lookOf(
  { kind = "secondary", size = "medium" }: { kind: Look["kind"] | undefined; size: Look["size"] | undefined },
  more: unknown,
): string {
  return ["button", kind, size, typeof more === "string" ? more : ""].filter(Boolean).join(" ");
}
