/**
 * Puts files into the model folder so that each is either whole and right under its name, or not there: they are made
 * in a scratch folder beside, checked by hash, then renamed. Several processes may do this at the same time; the last
 * rename wins, with the same bytes.
 */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkModelFile } from "./check-models.ts";
import { ModelError } from "./model-error.ts";
import type { ModelFile } from "./model-files.ts";

/**
 * Runs `make` with an empty scratch folder, then adopts each file from it. Leaves no scratch folder behind. Storage
 * errors become ModelErrors; others pass.
 */
export async function adoptFiles(
  modelDir: string,
  files: readonly ModelFile[],
  make: (scratchDir: string) => Promise<void>,
): Promise<void> {
  let scratchDir: string | undefined;
  try {
    await mkdir(modelDir, { recursive: true });
    scratchDir = await mkdtemp(join(modelDir, ".incoming-"));
    await make(scratchDir);
    for (const file of files) {
      const { state, actualSha256 } = await checkModelFile(scratchDir, file);
      if (state === "missing") throw new ModelError("missing-in-package", `${file.name} did not arrive`);
      if (state === "wrong-hash") throw wrongHash(file, actualSha256 ?? "unknown");
      await rename(join(scratchDir, file.name), join(modelDir, file.name));
    }
  } catch (error) {
    throw storageError(error, files, modelDir);
  } finally {
    if (scratchDir !== undefined)
      await rm(scratchDir, { recursive: true, force: true }).catch(() => undefined);
  }
}

export function wrongHash(file: ModelFile, actual: string): ModelError {
  const text = `${file.name} is not the expected file: SHA-256 should be ${file.sha256} and is ${actual}`;
  return new ModelError("wrong-hash", text);
}

function storageError(error: unknown, files: readonly ModelFile[], modelDir: string): unknown {
  if (error instanceof ModelError || !(error instanceof Error) || !("code" in error)) return error;
  const names = files.map((file) => file.name).join(", ");
  if (error.code === "ENOSPC" || error.code === "EDQUOT") {
    const megabytes = Math.ceil(files.reduce((sum, file) => sum + file.bytes, 0) / 1e6);
    const text = `no space left in ${modelDir} for ${names} (${megabytes} MB); free some, or set MODEL_DIR`;
    return new ModelError("disk-full", text, { cause: error });
  }
  if (typeof error.code !== "string" || !/^E(ACCES|PERM|ROFS|IO|NOTDIR|EXIST|ISDIR)$/.test(error.code))
    return error;
  return new ModelError("storage", `cannot write ${names} in ${modelDir}: ${error.code}`, { cause: error });
}
