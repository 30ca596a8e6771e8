/** Signs whatever it is given, with good keys and with the keys that forgers use. */
import { createHmac, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { nextKey, presentKey, settings, strangerKey } from "./fuzz-keys.ts";

const hmac = (secret: string | Buffer) => (input: string) =>
  createHmac("sha256", secret).update(input).digest();
const ed25519 = (key: KeyObject) => (input: string) => sign(null, Buffer.from(input), key);
const pem = createPublicKey(presentKey).export({ type: "spki", format: "pem" }).toString();

const signers = {
  secret: hmac(settings.secret),
  "previous secret": hmac(settings.previousSecret ?? ""),
  "present key": ed25519(presentKey),
  "next key": ed25519(nextKey),
  "another's key": ed25519(strangerKey),
  "another's secret": hmac("the-secret-of-another-server-altogether"),
  "no secret": hmac(""),
  "the public key as a secret": hmac(pem),
  "the public key's bytes as a secret": hmac(
    createPublicKey(presentKey).export({ type: "spki", format: "der" }),
  ),
  "the longer digest": (input: string) => createHmac("sha512", settings.secret).update(input).digest(),
  "half a signature": (input: string) => hmac(settings.secret)(input).subarray(0, 16),
  "a signature of zeros": () => Buffer.alloc(32),
  "a longer signature of zeros": () => Buffer.alloc(64),
  "no signature": () => Buffer.alloc(0),
} satisfies Readonly<Record<string, (input: string) => Buffer>>;

export type SigningKeyName = keyof typeof signers;
export const signingKeyNames = Object.keys(signers) as SigningKeyName[];

const goodKeys: readonly SigningKeyName[] = ["secret", "previous secret", "present key", "next key"];

export interface SignedToken {
  readonly token: string;
  /** Whether a key signed it that Parley accepts; what is said of the algorithm is another question. */
  readonly isGood: boolean;
}

export function signInput(input: string, key: SigningKeyName): SignedToken {
  return {
    token: `${input}.${signers[key](input).toString("base64url")}`,
    isGood: goodKeys.includes(key),
  };
}
