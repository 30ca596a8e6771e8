/**
 * Secrets for a server that was given none: made once, kept in a file that only its owner can read. Never used in
 * production.
 */
import { randomBytes } from "node:crypto";
import { access, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeApiKey, parseApiKey } from "../api-keys/api-key.ts";
import { apiKeyScopes } from "../api-keys/api-key-store.ts";

export interface LocalSecrets {
  readonly jwtSecret: string;
  /** An API key with every scope. */
  readonly developmentApiKey: string;
}

const fileName = "secrets.json";

/** Reads the secrets of `dataDir`, and makes them first if there are none. Two processes that start at once agree. */
export async function readOrMakeLocalSecrets(dataDir: string): Promise<LocalSecrets> {
  return (await readLocalSecrets(dataDir)) ?? (await makeLocalSecrets(dataDir));
}

/** Undefined when there are none. Throws when the file is not what it should be. */
export async function readLocalSecrets(dataDir: string): Promise<LocalSecrets | undefined> {
  const file = join(dataDir, fileName);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  const secrets = parse(text);
  if (!secrets)
    throw new Error(`${file} does not hold the secrets that it should; delete it, and new ones are made`);
  return secrets;
}

async function makeLocalSecrets(dataDir: string): Promise<LocalSecrets> {
  await makeFolder(dataDir);
  const secrets: LocalSecrets = {
    jwtSecret: randomBytes(48).toString("base64url"),
    developmentApiKey: makeApiKey({ displayName: "development", scopes: apiKeyScopes }, Date.now()).key,
  };
  const draft = join(dataDir, `${fileName}.${process.pid}.${randomBytes(4).toString("hex")}`);
  await writeFile(draft, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, join(dataDir, fileName)); // fails when another process was first, unlike rename
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const others = await readLocalSecrets(dataDir);
    if (!others) throw error;
    return others;
  } finally {
    await rm(draft, { force: true });
  }
}

function parse(text: string): LocalSecrets | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof LocalSecrets, unknown>>;
    const { jwtSecret, developmentApiKey } = value;
    return typeof jwtSecret === "string" &&
      jwtSecret.length >= 32 &&
      typeof developmentApiKey === "string" &&
      parseApiKey(developmentApiKey) !== undefined
      ? { jwtSecret, developmentApiKey }
      : undefined;
  } catch {
    return undefined;
  }
}

/** As mkdir with `recursive`, which never comes back where nothing can be made, as below /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    const parent = dirname(folder);
    if (code !== "ENOENT" || (await exists(parent))) {
      throw new Error(
        `DATA_DIR: expected a folder that can be written; ${folder} cannot be made (${code ?? "error"})`,
      );
    }
    await makeFolder(parent);
    await makeFolder(folder);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
