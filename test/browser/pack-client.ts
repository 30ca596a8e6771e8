/** The package as npm would publish it, installed into an app, and bundled there as apps do: by Vite, by webpack. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { extract } from "tar";
import { build as buildWithVite } from "vite";
import webpack from "webpack";

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;

export const bundlers = ["vite", "webpack"] as const;
export type Bundler = (typeof bundlers)[number];

export interface PackedApp {
  /** The script that a page loads. Rejects when it cannot be bundled, as for want of a part of Node. */
  bundle(bundler: Bundler, source: string): Promise<string>;
  close(): Promise<void>;
}

/** Only what the package depends on can be found in the app, and nothing of this checkout. */
export async function installPackedClient(): Promise<PackedApp> {
  const app = await mkdtemp(join(tmpdir(), "parley-app-"));
  const installed = join(app, "node_modules/@parley/server");
  await mkdir(installed, { recursive: true });
  const packed = await pack(join(app, "package"));
  await extract({ file: packed, cwd: installed, strip: 1 });
  for (const name of ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-web"]) {
    await mkdir(dirname(join(app, "node_modules", name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(app, "node_modules", name));
  }
  await writeFile(join(app, "package.json"), JSON.stringify({ type: "module", private: true }));
  let count = 0;
  return {
    async bundle(bundler, source) {
      const name = `main-${++count}`;
      const entry = join(app, `${name}.js`);
      const outDir = join(app, `out-${name}`);
      await writeFile(entry, source);
      if (bundler === "vite") await bundleWithVite(app, entry, outDir);
      else await bundleWithWebpack(app, entry, outDir);
      return await readFile(join(outDir, "main.js"), "utf8");
    },
    close: () => rm(app, { recursive: true, force: true }),
  };
}

/** As `npm pack` does, without the studio, and beside this checkout: other tests may be reading its `dist`. */
async function pack(folder: string): Promise<string> {
  await mkdir(folder);
  await copyFile(join(root, "package.json"), join(folder, "package.json"));
  await run(join(root, "node_modules/.bin/tsc"), [
    "-p",
    join(root, "tsconfig.build.json"),
    "--outDir",
    join(folder, "dist"),
  ]);
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts"], { cwd: folder });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("["))) as [{ filename: string }];
  return join(folder, filename);
}

export function gzippedBytes(script: string): number {
  return gzipSync(script, { level: 9 }).length;
}

async function bundleWithVite(app: string, entry: string, outDir: string): Promise<void> {
  await buildWithVite({
    configFile: false,
    root: app,
    logLevel: "silent",
    build: {
      outDir,
      modulePreload: false,
      rolldownOptions: { input: entry, output: { entryFileNames: "main.js" } },
    },
  });
}

async function bundleWithWebpack(app: string, entry: string, outDir: string): Promise<void> {
  const compiler = webpack({
    mode: "production",
    target: "web",
    context: app,
    entry,
    output: { path: outDir, filename: "main.js" },
    performance: false,
  });
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
    compiler.run((error, done) => (error ? reject(error) : resolve(done))),
  );
  await new Promise<void>((resolve) => compiler.close(() => resolve()));
  if (stats?.hasErrors() !== false) throw new Error(stats?.toString({ all: false, errors: true }));
  const warnings = stats.toString({ all: false, warnings: true });
  if (warnings !== "") throw new Error(warnings);
}
