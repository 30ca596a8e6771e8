/** The README's own code, run as it stands there. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { permissions } from "../../src/gateway/permissions.ts";
import { permissionTable, publishedTable } from "../permission-table.ts";
import { modelsMissing } from "./models.ts";
import { startServerProcess } from "./server-process.ts";
import type { ServerProcess } from "./server-process.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

async function run(code: string, { url, apiKey }: ServerProcess): Promise<string> {
  const file = join(root, `.readme-${process.pid}.ts`);
  writeFileSync(file, code.replaceAll("http://localhost:3001", url));
  try {
    const env = { ...process.env, KEY: apiKey };
    return (await promisify(execFile)(process.execPath, [file], { cwd: root, env })).stdout;
  } finally {
    rmSync(file);
  }
}

describe("the README", () => {
  const title = modelsMissing === undefined ? "" : ` (skipped: no speech models: ${modelsMissing})`;
  test.skipIf(modelsMissing !== undefined)(`has code in TypeScript that works${title}`, async () => {
    const [firstCall, survivingStream] = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
    const server = await startServerProcess();
    try {
      const called = await run(firstCall!, server);
      expect(called).toMatch(/^And Mr\. John Dashwood/m);
      expect(called).toMatch(/^safe up to \d+ ms$/m);
      expect(called).toMatch(/words a minute/);
      const survived = await run(survivingStream!, server);
      expect(survived).toMatch(/^live\n[^]*^And Mr\. John Dashwood[^]*^ended$/m);
    } finally {
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

  test("says who may call what as the server goes by it", async () => {
    expect(publishedTable(readme)).toBe(await permissionTable());
  });

  test("calls nothing missing that is an RPC no more", () => {
    const missing = readme.slice(readme.indexOf("## What is not there yet"), readme.indexOf("## Figures"));
    const rpcs = new Set([...permissions.keys()].map((name) => name.split(".").at(-1)));
    for (const [, name] of missing.matchAll(/`([A-Z]\w+)`/g))
      if (name !== "Transcribe") expect(rpcs).toContain(name);
  });
});
