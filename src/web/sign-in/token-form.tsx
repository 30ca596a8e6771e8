/** Signs in with a pasted token. */
import { useState } from "preact/hooks";
import { signIn } from "../session/studio-session.ts";
import { Button } from "../ui/button.tsx";
import { describeError } from "../ui/describe-error.ts";
import { Field } from "../ui/field.tsx";
import { checkToken } from "./check-token.ts";

/** `isOnlyWay`: nothing else on the page signs in. */
export function TokenForm({ isOnlyWay }: { readonly isOnlyWay: boolean }) {
  const [token, setToken] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    const pasted = token.trim().replace(/^Bearer\s+/i, "");
    setBusy(true);
    setError("");
    try {
      await checkToken(pasted);
      signIn.accept({ via: "token", accessToken: pasted });
    } catch (caught) {
      setError(describeError(caught));
      setBusy(false);
    }
  };
  return (
    <form class="stack tight" onSubmit={(event) => void onSubmit(event)} noValidate>
      <Field
        label="Token"
        error={error}
        hint="A user token does everything. A transcription token records and watches in its room. It stays in this tab."
      >
        {(control) => (
          <textarea
            {...control}
            class="token-text"
            rows={4}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            placeholder="eyJhbGciOi…"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="actions">
        <Button type="submit" kind={isOnlyWay ? "primary" : "secondary"} icon="key" busy={busy}>
          Sign in with token
        </Button>
      </div>
    </form>
  );
}
