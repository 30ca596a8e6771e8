/** The README's own code, run as it stands there. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { permissions } from "../../src/gateway/permissions.ts";
import { modelsMissing } from "./models.ts";
import { startServerProcess } from "./server-process.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

describe("the README", () => {
  const title = modelsMissing === undefined ? "" : ` (skipped: no speech models: ${modelsMissing})`;
  test.skipIf(modelsMissing !== undefined)(`has a first call in TypeScript that works${title}`, async () => {
    const [, code] = /```ts\n([^]*?)```/.exec(readme) ?? [];
    const server = await startServerProcess();
    const file = join(root, `.readme-${process.pid}.ts`);
    writeFileSync(file, code!.replaceAll("http://localhost:3001", server.url));
    try {
      const env = { ...process.env, KEY: server.apiKey };
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: root, env });
      expect(stdout).toMatch(/^And Mr\. John Dashwood/m);
      expect(stdout).toMatch(/^safe up to \d+ ms$/m);
      expect(stdout).toMatch(/words a minute/);
    } finally {
      rmSync(file);
      await server.stop();
    }
  });

  test("names every variable that .env.example has, and no other", () => {
    const variables = (text: string) => new Set(text.match(/\b(?:[A-Z]+_)+[A-Z]+\b|\bPORT\b|\bHOST\b/g));
    const example = variables(readFileSync(join(root, ".env.example"), "utf8"));
    const inReadme = variables(
      readme.slice(readme.indexOf("## Configuration"), readme.indexOf("## Commands")),
    );
    for (const aside of ["NODE_ENV", "LIVEKIT_WS_URL", "ONNXRUNTIME_NODE_INSTALL"]) inReadme.delete(aside);
    example.delete("NODE_ENV");
    expect([...inReadme].sort()).toEqual([...example].sort());
  });

  test("calls nothing missing that is an RPC no more", () => {
    const missing = readme.slice(readme.indexOf("## What is not there yet"), readme.indexOf("## Figures"));
    const rpcs = new Set([...permissions.keys()].map((name) => name.split(".").at(-1)));
    for (const [, name] of missing.matchAll(/`([A-Z]\w+)`/g))
      if (name !== "Transcribe") expect(rpcs).toContain(name);
  });
});
