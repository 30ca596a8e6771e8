/** Leads to the OpenID provider. */
import { useState } from "preact/hooks";
import type { ProviderSettings } from "../session/oidc/provider.ts";
import { SignInError } from "../session/sign-in-error.ts";
import { Alert } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { describeError } from "../ui/describe-error.ts";

export function ProviderButton({ provider }: { readonly provider: ProviderSettings }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const onClick = async () => {
    setBusy(true);
    setError("");
    try {
      if (!isSecureContext)
        throw new SignInError("provider", "Sign-in needs this page to come over https, or from localhost.");
      const { beginSignIn } = await import("../session/oidc/begin.ts");
      const address = await beginSignIn(provider, {
        redirectUri: `${location.origin}/`,
        returnTo: location.hash,
        storage: sessionStorage,
        nowMs: Date.now(),
      });
      location.assign(address);
    } catch (caught) {
      setError(describeError(caught));
      setBusy(false);
    }
  };
  return (
    <div class="stack tight">
      <Button kind="primary" size="large" icon="person" busy={busy} onClick={() => void onClick()}>
        Sign in
      </Button>
      <p class="hint">At {new URL(provider.issuer).host}</p>
      {error !== "" && <Alert kind="danger">{error}</Alert>}
    </div>
  );
}
