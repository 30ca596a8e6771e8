/**
 * A short-lived process that derives the decoder: `node derive-child.ts PUBLISHED_DECODER OUTPUT_DIR`. It keeps a
 * hundred megabytes of passing buffers, and a moment of pure computing, out of the server.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deriveDecoder } from "./derive-decoder.ts";
import { crossAttentionKeysFile, decoderFile } from "./model-files.ts";

const [publishedPath = "", outputDir = ""] = process.argv.slice(2);
try {
  const derived = deriveDecoder(await readFile(publishedPath));
  await writeFile(join(outputDir, crossAttentionKeysFile.name), derived.crossAttentionKeys);
  await writeFile(join(outputDir, decoderFile.name), derived.decoder);
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "DERIVE";
  process.send?.({ code });
  process.exitCode = 1;
}
