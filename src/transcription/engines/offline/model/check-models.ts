/** Looks at the model folder without changing it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ModelError } from "./model-error.ts";
import { derivedFiles, publishedDecoderFile, publishedFiles, type ModelFile } from "./model-files.ts";

export interface ModelCheck {
  readonly file: string;
  readonly state: "ok" | "missing" | "wrong-hash";
  readonly expectedSha256: string;
  /** Absent when the file is missing. */
  readonly actualSha256?: string;
}

/**
 * Every file that the engine needs, published ones first. The published decoder counts as needed only while a file
 * derived from it is not in order. Rejects with ModelError `storage` when the folder cannot be read.
 */
export async function checkModels(modelDir: string): Promise<ModelCheck[]> {
  const derived = await Promise.all(derivedFiles.map((file) => checkModelFile(modelDir, file)));
  const complete = derived.every((check) => check.state === "ok");
  const needed = publishedFiles.filter((file) => file !== publishedDecoderFile || !complete);
  return [...(await Promise.all(needed.map((file) => checkModelFile(modelDir, file)))), ...derived];
}

export async function checkModelFile(modelDir: string, file: ModelFile): Promise<ModelCheck> {
  const check = { file: file.name, expectedSha256: file.sha256 };
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(join(modelDir, file.name), { highWaterMark: 1 << 20 }), hash);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      return { ...check, state: "missing" };
    throw new ModelError("storage", `cannot read ${file.name} in ${modelDir}`, { cause: error });
  }
  const actualSha256 = hash.digest("hex");
  return { ...check, state: actualSha256 === file.sha256 ? "ok" : "wrong-hash", actualSha256 };
}
