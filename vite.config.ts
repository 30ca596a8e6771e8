/** Builds the studio from src/web into dist/web: hashed files, nothing inline, so that a strict policy lets it run. */
import { defineConfig } from "vite";

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
  },
});
