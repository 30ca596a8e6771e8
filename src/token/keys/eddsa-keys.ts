/**
 * Ed25519 keys for transcription tokens (RFC 8037): one that signs, and any number that verify besides. All of them are
 * published, so that a key can be rotated without an outage: first publish the next one, then sign with it, then take the
 * old one away when its last token has expired.
 */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isKeyFor, privateSigningKey, publicVerificationKey } from "../jwt/jwt-key.ts";
import type { EdDsaKeys } from "./jwt-settings.ts";

/** A key file cannot be used. `message` names the file and never its content. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
  readonly code = "key-file";
  readonly retryable = false;
}

export interface KeyFile {
  /** For messages. */
  readonly path: string;
  readonly pem: string;
}

/** Throws KeyFileError. `others` may hold private keys too; of them only the public half is used. */
export function readEdDsaKeys(signing: KeyFile, others: readonly KeyFile[]): EdDsaKeys {
  const privateKey = readPem(signing, createPrivateKey);
  const keys = [createPublicKey(privateKey), ...others.map((file) => readPem(file, createPublicKey))];
  const named = new Map(keys.map((key) => [thumbprint(key), key]));
  return {
    signing: privateSigningKey("EdDSA", privateKey, thumbprint(createPublicKey(privateKey))),
    verification: [...named].map(([kid, key]) => publicVerificationKey("EdDSA", key, kid)),
    published: [...named].map(([kid, key]) => ({
      kty: "OKP",
      crv: "Ed25519",
      x: publicBytes(key),
      kid,
      alg: "EdDSA",
      use: "sig",
    })),
  };
}

function readPem({ path, pem }: KeyFile, read: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read(pem);
  } catch {
    throw new KeyFileError(`expected an Ed25519 key as PEM; ${path} holds none that can be read`);
  }
  if (!isKeyFor("EdDSA", key))
    throw new KeyFileError(
      `expected an Ed25519 key, as "openssl genpkey -algorithm ed25519" makes it; ${path} holds another kind`,
    );
  return key;
}

function publicBytes(key: KeyObject): string {
  return key.export({ format: "jwk" }).x ?? "";
}

/** RFC 7638 with RFC 8037, section 2: the SHA-256 of the key's required members in alphabetical order. */
function thumbprint(key: KeyObject): string {
  const members = JSON.stringify({ crv: "Ed25519", kty: "OKP", x: publicBytes(key) });
  return createHash("sha256").update(members).digest("base64url");
}
