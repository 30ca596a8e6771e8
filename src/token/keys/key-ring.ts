/** The keys that settings amount to, made once for each. */
import { hmacKey } from "../jwt/jwt-key.ts";
import type { SigningKey, VerificationKey } from "../jwt/jwt-key.ts";
import type { JwtSettings } from "./jwt-settings.ts";

export interface KeyRing {
  /** Signs users' logins. */
  readonly user: SigningKey;
  /** Signs transcription tokens. */
  readonly transcription: SigningKey;
  /** Signs refresh tokens, whose header says that they are such, so that none is ever taken for another token. */
  readonly refresh: SigningKey;
  /** Verify what is signed with the shared secret: logins and refresh tokens. */
  readonly shared: readonly VerificationKey[];
  /** Verify transcription tokens: with the shared secret too, which an app's own backend may have signed with. */
  readonly participant: readonly VerificationKey[];
}

export const refreshTokenType = "refresh+jwt";

const rings = new WeakMap<JwtSettings, KeyRing>();

export function keyRing(settings: JwtSettings): KeyRing {
  const known = rings.get(settings);
  if (known) return known;
  const ring = makeKeyRing(settings);
  rings.set(settings, ring);
  return ring;
}

function makeKeyRing({ secret, previousSecret, eddsa }: JwtSettings): KeyRing {
  const present = hmacKey(secret);
  const shared = [present, ...(previousSecret === undefined ? [] : [hmacKey(previousSecret)])];
  return {
    user: present,
    transcription: eddsa?.signing ?? present,
    refresh: hmacKey(secret, refreshTokenType),
    shared,
    participant: eddsa ? [...shared, ...eddsa.verification] : shared,
  };
}
