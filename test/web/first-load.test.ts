/** What the built studio costs to open, and that it asks nobody else for anything and has nothing inline. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { buildStudio } from "./build-studio.ts";

const maxFirstLoadBytes = 150_000;

let folder = "";
let html = "";
beforeAll(async () => {
  folder = await buildStudio();
  html = await readFile(join(folder, "index.html"), "utf8");
});

/** What a browser fetches before anything is clicked: the page, what it names, and what those modules import at once. */
async function firstLoad(): Promise<string[]> {
  const named = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
  const files = new Set(["/index.html", ...named]);
  for (const path of files) {
    if (!path.endsWith(".js")) continue;
    const code = await readFile(join(folder, path), "utf8");
    // `import"./a.js"` and `from"./a.js"`, and not `import("./a.js")`, which waits until it is wanted.
    for (const [, name = ""] of code.matchAll(/(?:\bimport|\bfrom)\s*["']\.\/([\w.-]+)["']/g))
      files.add(`/assets/${name}`);
  }
  return [...files];
}

test("the first load is at most 150 KB gzipped", async () => {
  const files = await firstLoad();
  const sizes = await Promise.all(
    files.map(
      async (path) => [path, gzipSync(await readFile(join(folder, path)), { level: 9 }).length] as const,
    ),
  );
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(total, JSON.stringify(sizes)).toBeLessThanOrEqual(maxFirstLoadBytes);
  expect(files.some((path) => path.endsWith(".css"))).toBe(true);
  expect(total).toBeGreaterThan(20_000); // less would mean that something was not found
});

test("the page has nothing inline, and names no other server", () => {
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|="javascript:/i);
  expect([...html.matchAll(/<script\b[^>]*>([^<]*)/g)].map(([, code]) => code)).toEqual([""]);
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
});

test("neither styles nor scripts load from elsewhere or make code of text", async () => {
  const names = (await readdir(join(folder, "assets"))).filter((name) => /\.(js|css)$/.test(name));
  for (const name of names) {
    const text = await readFile(join(folder, "assets", name), "utf8");
    expect(text, name).not.toMatch(/url\(["']?(https?:)?\/\/|@import/);
    if (name.endsWith(".js")) expect(text, name).not.toMatch(/\beval\(|\bnew Function\(|\bdocument\.write\(/);
  }
});

test("text files are there compressed, and smaller", async () => {
  const names = await readdir(join(folder, "assets"));
  const script = names.find((name) => /^index-.*\.js$/.test(name)) ?? "";
  const [plain, br, gzip] = await Promise.all(
    ["", ".br", ".gz"].map(
      async (ending) => (await readFile(join(folder, "assets", script + ending))).length,
    ),
  );
  expect(gzip).toBeLessThan(plain ?? 0);
  expect(br).toBeLessThan(gzip ?? 0);
});
