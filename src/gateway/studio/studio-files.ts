/** The built studio in memory: every file that it has, by the path under which it is asked for. Nothing else is ever read. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";

export interface StudioFile {
  readonly contentType: string;
  /** Whether its name changes with its content, so that it may be kept for ever. */
  readonly isHashed: boolean;
  readonly etag: string;
  readonly body: Buffer;
  /** The same compressed, where that is smaller. */
  readonly encoded: Readonly<Partial<Record<"br" | "gzip", Buffer>>>;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wav": "audio/wav",
  ".wasm": "application/wasm",
};

/** Where the build puts what it has hashed. */
const hashedPaths = /^\/assets\//;

/** By path, `/` for the page itself. Undefined: it has not been built. */
export async function readStudioFiles(folder: string): Promise<ReadonlyMap<string, StudioFile> | undefined> {
  const names = await listFiles(folder);
  if (!names.has("/index.html")) return undefined;
  const files = new Map<string, StudioFile>();
  for (const path of names) {
    const contentType = contentTypes[extname(path)];
    if (contentType === undefined) continue;
    const body = await readFile(join(folder, path));
    const compressed = async (ending: string) =>
      names.has(path + ending) ? readFile(join(folder, path + ending)) : undefined;
    const [br, gzip] = [await compressed(".br"), await compressed(".gz")];
    files.set(path === "/index.html" ? "/" : path, {
      contentType,
      isHashed: hashedPaths.test(path),
      etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
      body,
      encoded: { ...(br && { br }), ...(gzip && { gzip }) },
    });
  }
  return files;
}

async function listFiles(folder: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  return new Set(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => `/${relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/")}`),
  );
}
