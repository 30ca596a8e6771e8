/** Where the name of a room is typed. */
import { Field } from "../ui/field.tsx";

export interface RoomNameFieldProps {
  readonly label: string;
  readonly error: string;
  readonly name: string;
  readonly onName: (name: string) => void;
}

/** As the server has it. */
const maxLength = 128;

export function RoomNameField({ label, error, name, onName }: RoomNameFieldProps) {
  return (
    <Field label={label} error={error}>
      {(control) => (
        <input
          {...control}
          maxLength={maxLength}
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => onName(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
