/** Fetching against a registry of our own on this machine; packages hold the real files when they are at hand. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { create } from "tar";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkModels } from "../../../src/transcription/engines/offline/model/check-models.ts";
import {
  fetchModels,
  type ModelProgress,
} from "../../../src/transcription/engines/offline/model/fetch-models.ts";
import { publishedFiles } from "../../../src/transcription/engines/offline/model/model-files.ts";
import { testModelDir } from "./test-model-dir.ts";

const source = testModelDir();
const missing = await fetchModels({ modelDir: source }).then(
  async () => {
    // A folder that was filled with derived files only cannot serve as a registry.
    const states = await Promise.all(publishedFiles.map((file) => hashOf(join(source, file.name))));
    return states.every((hash, index) => hash === publishedFiles[index]?.sha256)
      ? undefined
      : "published files are absent";
  },
  (error: unknown) => (error instanceof Error ? error.message : "unknown"),
);

if (missing !== undefined) {
  describe("fetching the models", () => {
    it.skip(`is not tested, since there is nothing to serve: ${missing}`, () => undefined);
  });
}

describe.skipIf(missing !== undefined)("fetching the models", { timeout: 60_000 }, () => {
  const tarballs = new Map<string, Buffer>();
  let server: Server;
  let requests = 0;
  let answer: (tarball: Buffer) => { status: number; body: Buffer; declaredLength?: number };
  let modelDir: string;
  let address: string;

  beforeAll(async () => {
    for (const spec of new Set(publishedFiles.map((file) => file.packageSpec))) {
      tarballs.set(spec, await packed(spec));
    }
    server = createServer((request, response) => {
      requests++;
      const tarball = tarballs.get(decodeURIComponent((request.url ?? "/").slice(1)));
      const { status, body, declaredLength } = answer(tarball ?? Buffer.alloc(0));
      response.writeHead(status, { "content-length": declaredLength ?? body.length });
      response.write(body, () => (declaredLength === undefined ? response.end() : response.destroy()));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    modelDir = await mkdtemp(join(tmpdir(), "parley-models-"));
    requests = 0;
    answer = (tarball) => ({ status: 200, body: tarball });
  });
  afterEach(() => rm(modelDir, { recursive: true, force: true }));

  const findTarball = (spec: string): Promise<URL> =>
    Promise.resolve(new URL(`/${encodeURIComponent(spec)}`, address));
  const unreachable = (): Promise<URL> => Promise.resolve(new URL("http://127.0.0.1:1/"));

  it("fetches what is missing, shows progress, derives the rest, and fetches nothing the second time", async () => {
    const progress: ModelProgress[] = [];
    expect((await checkModels(modelDir)).map((check) => check.state)).not.toContain("ok");
    const paths = await fetchModels({
      modelDir,
      findTarball,
      onModelProgress: (step) => progress.push(step),
    });
    expect((await checkModels(modelDir)).map((check) => check.state)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(Object.values<string>({ ...paths }).map((path: string) => dirname(path))).toEqual(
      Array.from({ length: 4 }, () => modelDir),
    );
    for (const spec of tarballs.keys()) {
      const last = progress.findLast((step) => step.file === spec);
      expect(last).toEqual({
        file: spec,
        receivedBytes: last?.totalBytes,
        totalBytes: tarballs.get(spec)?.length,
      });
    }
    expect(requests).toBe(2);
    await fetchModels({ modelDir, findTarball });
    expect(requests).toBe(2);
    expect((await readdir(modelDir)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("lets several fetch at the same time", async () => {
    await Promise.all([1, 2, 3].map(() => fetchModels({ modelDir, findTarball })));
    expect((await checkModels(modelDir)).every((check) => check.state === "ok")).toBe(true);
  });

  it("uses files that were put there, without any network", async () => {
    for (const file of publishedFiles) await copyFile(join(source, file.name), join(modelDir, file.name));
    await fetchModels({ modelDir, findTarball: unreachable });
    expect((await checkModels(modelDir)).every((check) => check.state === "ok")).toBe(true);
  });

  it("says which files to put where when there is no network", async () => {
    const error = await rejection(fetchModels({ modelDir, findTarball: unreachable }));
    expect(error).toMatchObject({ name: "ModelError", code: "unreachable", retryable: true });
    expect(error.message).toContain("put these files into MODEL_DIR");
    expect(error.message).toContain(modelDir);
    for (const file of publishedFiles) expect(error.message).toContain(file.name);
  });

  it("replaces a file with a wrong hash", async () => {
    await writeFile(join(modelDir, "encoder_model.onnx"), "not a model");
    await fetchModels({ modelDir, findTarball });
    expect((await checkModels(modelDir)).every((check) => check.state === "ok")).toBe(true);
  });

  it("names the file and both hashes when a wrong file cannot be replaced, and does not use it", async () => {
    for (const file of publishedFiles) await copyFile(join(source, file.name), join(modelDir, file.name));
    await writeFile(join(modelDir, "encoder_model.onnx"), "not a model");
    const error = await rejection(fetchModels({ modelDir, findTarball: unreachable }));
    expect(error).toMatchObject({ name: "ModelError", code: "wrong-hash" });
    expect(error.message).toContain("encoder_model.onnx");
    expect(error.message).toContain(publishedFiles[0]!.sha256);
    expect(error.message).toContain(createHash("sha256").update("not a model").digest("hex"));
  });

  it("rejects a package whose file is not the pinned one, and keeps nothing of it", async () => {
    const spec = publishedFiles[0]?.packageSpec ?? "";
    const forged = await packed(spec, "forged");
    answer = () => ({ status: 200, body: forged });
    const error = await rejection(fetchModels({ modelDir, findTarball }));
    expect(error).toMatchObject({ code: "wrong-hash", retryable: false });
    expect(error.message).toContain(createHash("sha256").update("forged").digest("hex"));
    expect(await readdir(modelDir)).toEqual([]);
  });

  it("rejects a package without the file", async () => {
    answer = () => ({
      status: 200,
      body: tarballs.get(publishedFiles[2]?.packageSpec ?? "") ?? Buffer.alloc(0),
    });
    const error = await rejection(fetchModels({ modelDir, findTarball }));
    expect(error).toMatchObject({ code: "missing-in-package" });
  });

  it("reports a registry that refuses, and one that breaks off", async () => {
    answer = () => ({ status: 503, body: Buffer.from("busy") });
    expect((await rejection(fetchModels({ modelDir, findTarball }))).message).toContain("503");
    answer = (tarball) => ({
      status: 200,
      body: tarball.subarray(0, 1_000_000),
      declaredLength: tarball.length,
    });
    expect(await rejection(fetchModels({ modelDir, findTarball }))).toMatchObject({ code: "unreachable" });
    expect(await readdir(modelDir)).toEqual([]);
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    const fetching = fetchModels({
      modelDir,
      findTarball,
      signal: controller.signal,
      onModelProgress: () => controller.abort(),
    });
    await expect(fetching).rejects.toMatchObject({ name: "AbortError" });
    expect(await readdir(modelDir)).toEqual([]);
  });

  it("reports a full disk as one clear error, and leaves no partial file", async (context) => {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", modelDir], { stdio: "ignore" });
    } catch {
      return context.skip("a small file system cannot be mounted here");
    }
    try {
      const error = await rejection(fetchModels({ modelDir, findTarball }));
      expect(error).toMatchObject({ name: "ModelError", code: "disk-full", retryable: false });
      expect(error.message).toContain(modelDir);
      expect(await readdir(modelDir)).toEqual([]);
    } finally {
      execFileSync("umount", [modelDir]);
    }
  });

  /** The package as npm would serve it, or with the same paths and other content. */
  async function packed(spec: string, content?: string): Promise<Buffer> {
    const scratch = await mkdtemp(join(tmpdir(), "parley-package-"));
    try {
      for (const file of publishedFiles.filter((candidate) => candidate.packageSpec === spec)) {
        const path = join(scratch, "package", file.packagePath);
        await mkdir(dirname(path), { recursive: true });
        if (content === undefined) await copyFile(join(source, file.name), path);
        else await writeFile(path, content);
      }
      await writeFile(join(scratch, "package", "README.md"), "beside");
      await create({ gzip: { level: 1 }, file: join(scratch, "package.tgz"), cwd: scratch }, ["package"]);
      return await readFile(join(scratch, "package.tgz"));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
});

async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new Error("it did not reject");
}

async function hashOf(path: string): Promise<string> {
  return readFile(path).then(
    (bytes) => createHash("sha256").update(bytes).digest("hex"),
    () => "",
  );
}
