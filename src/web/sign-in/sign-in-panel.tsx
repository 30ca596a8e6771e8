/** The ways to sign in that this server has, the easiest first. */
import { useEffect, useState } from "preact/hooks";
import { Alert } from "../ui/alert.tsx";
import { Loading } from "../ui/loading.tsx";
import { DevelopmentForm } from "./development-form.tsx";
import { ProviderButton } from "./provider-button.tsx";
import { fetchStudioConfig, type StudioConfig } from "./studio-config.ts";
import { TokenForm } from "./token-form.tsx";

export function SignInPanel() {
  const [config, setConfig] = useState<StudioConfig | "unknown">();
  useEffect(() => {
    fetchStudioConfig().then(setConfig, () => setConfig("unknown"));
  }, []);
  if (config === undefined) return <Loading>Asking the server how to sign in…</Loading>;
  if (config === "unknown") {
    return (
      <div class="stack">
        <Alert kind="warning">
          The server did not say how one can sign in. A token may work all the same.
        </Alert>
        <TokenForm isOnlyWay />
      </div>
    );
  }
  const { oidc, development } = config;
  if (!oidc && !development) return <TokenForm isOnlyWay />;
  return (
    <div class="stack">
      {oidc && <ProviderButton provider={oidc} />}
      {development && <DevelopmentForm />}
      <details class="other-way">
        <summary>Paste a token instead</summary>
        <TokenForm isOnlyWay={false} />
      </details>
    </div>
  );
}
