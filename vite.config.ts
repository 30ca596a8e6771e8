/** Builds the studio from src/web into dist/web: hashed files, nothing inline, so that a strict policy lets it run. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

export default defineConfig({
  root: "src/web",
  base: "/",
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    target: ["chrome120", "edge120", "firefox121", "safari17"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { bundlerTimings: false, pluginTimings: false } },
  },
  plugins: [compressed()],
  // `vite` alone serves the page as it is being written, and leads its calls to a server on the usual port.
  server: {
    proxy: { "^/(parley\\.|grpc\\.|studio/|health)": { target: "http://localhost:3001", ws: true } },
  },
});

/** Puts beside each file that is text what the server sends of it to browsers that can expand it. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async writeBundle({ dir = "" }) {
      const names = await readdir(dir, { recursive: true });
      await Promise.all(
        names
          .filter((name) => /\.(html|js|css|json|svg)$/.test(name))
          .map(async (name) => {
            const content = await readFile(join(dir, name));
            const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
            for (const [ending, body] of [
              [".br", await promisify(brotliCompress)(content, { params })],
              [".gz", await promisify(gzip)(content, { level: 9 })],
            ] as const) {
              if (body.length < content.length * 0.95) await writeFile(join(dir, name + ending), body);
            }
          }),
      );
    },
  };
}
