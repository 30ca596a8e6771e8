/** How one can sign in here, as the server says it. */
import type { ProviderSettings } from "../session/oidc/provider.ts";

export interface StudioConfig {
  /** Absent: there is no provider. */
  readonly oidc?: ProviderSettings;
  /** Whether a token can be had without more ado, on a developer's own machine. */
  readonly development: boolean;
}

/** Rejects when the server does not answer. */
export async function fetchStudioConfig(): Promise<StudioConfig> {
  const response = await fetch("/studio/config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()) as StudioConfig;
}
