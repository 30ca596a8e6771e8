/**
 * Verifies credentials and remembers for a while what was good, so that a caller's next call costs a hash and a look. A
 * revocation of tokens and of API keys empties the memory at once, on every replica.
 */
import type { Clock } from "../../clock.ts";
import type { Notices } from "../../notices.ts";
import type { Caller } from "../caller.ts";
import { clockSkewSeconds } from "../jwt/verify-jwt.ts";
import { VerifiedCredentials } from "./verified-credentials.ts";
import { verifyCredential } from "./verify-credential.ts";
import type { CredentialSettings } from "./verify-credential.ts";

export interface CredentialVerifierOptions extends CredentialSettings {
  readonly clock: Clock;
  /** By which replicas tell each other that an API key was revoked. */
  readonly notices: Notices;
  /** API keys may have been revoked, here or on another replica: what is open by one may have to end. */
  readonly onKeysRevoked?: () => void;
  /** How many credentials are remembered. Default 10,000. */
  readonly maxRemembered?: number;
}

const topic = "api-keys";

/**
 * How long a credential is good without another look, in milliseconds, besides its own end. A transcription token needs none:
 * all revocations are known here. A login is looked at again since its issuer may have changed its keys; an API key since
 * the notice of its revocation may have been lost.
 */
const rememberedMs = { participant: Infinity, user: 60_000, service: 30_000 } as const;

export class CredentialVerifier {
  readonly #options: CredentialVerifierOptions;
  readonly #verified: VerifiedCredentials;
  readonly #stopListening: () => void;

  constructor(options: CredentialVerifierOptions) {
    this.#options = options;
    this.#verified = new VerifiedCredentials(options.maxRemembered ?? 10_000);
    const heed = () => {
      this.forget();
      options.onKeysRevoked?.();
    };
    this.#stopListening = options.notices.subscribe(topic, { onNotice: heed, onMissed: heed });
  }

  /** Throws TokenError for a credential that is no good; rejects otherwise when it cannot be told. */
  async verify(credential: string): Promise<Caller> {
    const nowMs = this.#options.clock.now();
    const known = this.#verified.get(credential, nowMs);
    if (known) return known;
    const { emptied } = this.#verified;
    const caller = await verifyCredential(credential, this.#options, nowMs);
    this.#verified.keep(credential, { caller, untilMs: goodUntil(caller, nowMs) }, emptied);
    return caller;
  }

  /** Everything that was verified so far is verified again. To be called when a revocation becomes known. */
  forget(): void {
    this.#verified.empty();
  }

  /** To be called when an API key was revoked. Rejects when other replicas cannot be told; they learn of it within 30 s. */
  async apiKeyRevoked(): Promise<void> {
    this.forget();
    await this.#options.notices.publish(topic, "");
  }

  stop(): void {
    this.#stopListening();
  }
}

function goodUntil(caller: Caller, nowMs: number): number {
  const untilMs = nowMs + rememberedMs[caller.kind];
  const { expireTime } = caller;
  if (expireTime === undefined) return untilMs;
  const skewMs = caller.kind === "service" ? 0 : clockSkewSeconds * 1000;
  return Math.min(untilMs, expireTime.getTime() + skewMs);
}
