/** A labelled control of a form, with a hint and what is wrong with it. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** To be spread onto the control. */
export interface ControlProps {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": "true" | undefined;
}

export interface FieldProps {
  readonly label: ComponentChildren;
  readonly hint?: ComponentChildren;
  /** What to do about it. Absent or empty: nothing is wrong. */
  readonly error?: string | undefined;
  readonly children: (control: ControlProps) => ComponentChildren;
}

export function Field({ label, hint, error = "", children }: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const describedBy = [hint !== undefined && hintId, error !== "" && errorId].filter(
    (part) => part !== false,
  );
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        "aria-describedby": describedBy.length === 0 ? undefined : describedBy.join(" "),
        "aria-invalid": error === "" ? undefined : "true",
      })}
      {hint !== undefined && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
      <p class="field-error" id={errorId} role="alert">
        {error}
      </p>
    </div>
  );
}
