/** The Jitsi deployment that tokens are for, and the key that its Prosody verifies them with. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { hmacKey, isKeyFor, privateSigningKey, publicVerificationKey } from "../../jwt/jwt-key.ts";
import type { SigningKey, VerificationKey } from "../../jwt/jwt-key.ts";
import { KeyFileError } from "../../keys/eddsa-keys.ts";
import type { KeyFile } from "../../keys/eddsa-keys.ts";

export interface JitsiSettings {
  /** Where meetings are: `https://<domain>/<room>`; also the XMPP domain. */
  readonly domain: string;
  /** Prosody's `app_id`: the issuer that it accepts. */
  readonly appId: string;
  /** The tenant whose meetings the tokens open; absent: those of the whole domain. */
  readonly tenant?: string;
  readonly key: JitsiKey;
  /** Prosody's `asap_accepted_audiences`; `*` accepts any. Default: only the one that tokens are made for. */
  readonly acceptedAudiences?: readonly string[];
}

export type JitsiKey = SigningKey & VerificationKey;

export const jitsiAudience = "jitsi";

/** Prosody's `app_secret`. */
export function jitsiSecretKey(secret: string): JitsiKey {
  return hmacKey(secret);
}

/**
 * RS256, for a Prosody that fetches the public key as `<asap_key_server>/<SHA-256 of keyId in hex>.pem`, or from 8x8. Throws
 * KeyFileError.
 */
export function jitsiPrivateKey(file: KeyFile, keyId: string): JitsiKey {
  const privateKey = readPrivateKey(file);
  if (!isKeyFor("RS256", privateKey)) {
    throw new KeyFileError(
      `expected an RSA key of 2048 bits or more, as "openssl genrsa 2048" makes it; ${file.path} holds another kind`,
    );
  }
  return {
    ...publicVerificationKey("RS256", createPublicKey(privateKey), keyId),
    ...privateSigningKey("RS256", privateKey, keyId),
  };
}

function readPrivateKey({ path, pem }: KeyFile): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new KeyFileError(
      `expected an RSA private key as PEM, without a passphrase; ${path} holds none that can be read`,
    );
  }
}

/** 8x8's own Jitsi, whose client asks that every token lists its features. */
export function isJaas({ tenant }: JitsiSettings): boolean {
  return tenant?.startsWith("vpaas-magic-cookie-") ?? false;
}
