/** The keys and settings of the fuzz target: the same in every process, so that what was found is found again. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readEdDsaKeys } from "../../src/token/keys/eddsa-keys.ts";
import type { JwtSettings } from "../../src/token/keys/jwt-settings.ts";

/** An Ed25519 key in PKCS #8 (RFC 8410, section 7) is this and the 32 bytes of the key. */
const pkcs8Begin = Buffer.from("302e020100300506032b657004220420", "hex");

function ed25519(fill: number): KeyObject {
  const der = Buffer.concat([pkcs8Begin, Buffer.alloc(32, fill)]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

const pemOf = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();

export const presentKey = ed25519(1);
export const nextKey = ed25519(2);
export const strangerKey = ed25519(3);

export const settings: JwtSettings = {
  secret: "a-secret-of-more-than-thirty-two-bytes",
  previousSecret: "the-secret-before-it-of-as-many-bytes",
  eddsa: readEdDsaKeys({ path: "present.pem", pem: pemOf(presentKey) }, [
    { path: "next.pem", pem: pemOf(nextKey) },
  ]),
  issuer: "interview-backend",
  audience: "transcription-service",
  expirySeconds: 7200,
};

/** Public keys by the `kid` under which they are published. */
export const publicKeys: ReadonlyMap<string, KeyObject> = new Map(
  [presentKey, nextKey].map((key, index) => [
    settings.eddsa?.published[index]?.["kid"] ?? "",
    createPublicKey(key),
  ]),
);

export const secrets: readonly string[] = [settings.secret, settings.previousSecret ?? ""];

export const nowSeconds = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
