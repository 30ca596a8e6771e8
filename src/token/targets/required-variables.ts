/** What has to be set so that tokens can be made, and judged, for a server. */
import type { SessionTarget } from "../refresh/refresh-token.ts";

export type OtherTarget = Exclude<SessionTarget, "transcription">;

const requiredVariables: Readonly<Record<OtherTarget, string>> = {
  livekit: "LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
  jitsi: "JITSI_DOMAIN, JITSI_APP_ID and JITSI_APP_SECRET",
  sfu: "SFU_URL and SFU_JWT_SECRET",
};

/** In words, for whoever asks for it. */
export function notConfigured(target: OtherTarget): string {
  return `${target.toUpperCase()} is not configured; set ${requiredVariables[target]}`;
}
