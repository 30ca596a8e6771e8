/** Reads the files with keys and certificates that the configuration names. Part of the composition root; see main.ts. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { ConfigError } from "./config.ts";
import type { Config } from "./config.ts";
import { KeyFileError, readEdDsaKeys } from "./token/keys/eddsa-keys.ts";
import type { KeyFile } from "./token/keys/eddsa-keys.ts";
import type { EdDsaKeys } from "./token/keys/jwt-settings.ts";
import { jitsiPrivateKey, jitsiSecretKey } from "./token/targets/jitsi/jitsi-settings.ts";
import type { JitsiSettings } from "./token/targets/jitsi/jitsi-settings.ts";

/** Throws ConfigError, as all of them do. */
export async function readTls(tls: NonNullable<Config["tls"]>): Promise<{ certPem: string; keyPem: string }> {
  const { pem: certPem } = await readKeyFile("TLS_CERT_FILE", tls.certFile);
  const { pem: keyPem } = await readKeyFile("TLS_KEY_FILE", tls.keyFile);
  try {
    createSecureContext({ cert: certPem, key: keyPem });
  } catch {
    throw new ConfigError(["TLS_CERT_FILE, TLS_KEY_FILE: expected a certificate and its key, as PEM"]);
  }
  return { certPem, keyPem };
}

/** Undefined: transcription tokens are signed with the secret. */
export async function readJwtKeys({ jwt }: Pick<Config, "jwt">): Promise<EdDsaKeys | undefined> {
  if (jwt.privateKeyFile === undefined) {
    if (jwt.publicKeyFiles.length === 0) return undefined;
    throw new ConfigError(["JWT_PRIVATE_KEY_FILE: expected to be set, since JWT_PUBLIC_KEY_FILES is"]);
  }
  const signing = await readKeyFile("JWT_PRIVATE_KEY_FILE", jwt.privateKeyFile);
  const others = await Promise.all(
    jwt.publicKeyFiles.map((path) => readKeyFile("JWT_PUBLIC_KEY_FILES", path)),
  );
  return named("JWT_PRIVATE_KEY_FILE, JWT_PUBLIC_KEY_FILES", () => readEdDsaKeys(signing, others));
}

export async function readJitsiSettings({
  jitsi,
}: Pick<Config, "jitsi">): Promise<JitsiSettings | undefined> {
  if (!jitsi) return undefined;
  const { key, ...rest } = jitsi;
  if ("secret" in key) return { ...rest, key: jitsiSecretKey(key.secret) };
  const file = await readKeyFile("JITSI_PRIVATE_KEY_FILE", key.privateKeyFile);
  return { ...rest, key: named("JITSI_PRIVATE_KEY_FILE", () => jitsiPrivateKey(file, key.keyId)) };
}

async function readKeyFile(variable: string, path: string): Promise<KeyFile> {
  try {
    return { path, pem: await readFile(path, "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([`${variable}: expected a readable file; ${path} is none (${code ?? "error"})`]);
  }
}

function named<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyFileError) throw new ConfigError([`${variable}: ${error.message}`]);
    throw error;
  }
}
