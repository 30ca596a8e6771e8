/** Signs a developer in, on the server's own machine, under any name. */
import { useState } from "preact/hooks";
import { signIn } from "../session/studio-session.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";

export function DevelopmentForm() {
  const [userId, setUserId] = useState("developer");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    const result = await askForToken(userId.trim());
    if ("token" in result) signIn.accept({ via: "development", accessToken: result.token });
    else {
      setError(result.problem);
      setBusy(false);
    }
  };
  return (
    <form class="stack tight" onSubmit={(event) => void onSubmit(event)} noValidate>
      <Field label="Your name" error={error} hint="For trying things out on this machine; anything will do.">
        {(control) => (
          <input
            {...control}
            maxLength={64}
            autocomplete="off"
            spellcheck={false}
            value={userId}
            onInput={(event) => setUserId(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="actions">
        <Button type="submit" kind="primary" icon="person" busy={busy}>
          Continue as developer
        </Button>
      </div>
    </form>
  );
}

async function askForToken(userId: string): Promise<{ token: string } | { problem: string }> {
  const response = await fetch("/studio/sign-in", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ userId }),
  }).catch(() => undefined);
  if (!response) return { problem: "The server cannot be reached. Is it running?" };
  if (response.status === 400) return { problem: "Use letters, digits, spaces and _ . @ - only." };
  if (!response.ok)
    return { problem: "The server gives tokens to its own machine only, at http://localhost." };
  return (await response.json()) as { token: string };
}
