/** A page in a real Chromium that has the studio's modules, served by Vite from the sources. */
import type { Browser, Page } from "playwright-core";
import { createServer } from "vite";
import { launchChromium } from "../browser/chromium.ts";

export interface StudioPage {
  readonly page: Page;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** `microphoneFile`: a WAV file that its microphone hears, over and over. */
export async function openStudioPage(
  options: { readonly microphoneFile?: string } = {},
): Promise<StudioPage> {
  const vite = await createServer({
    configFile: false,
    root: new URL("../..", import.meta.url).pathname,
    appType: "mpa",
    logLevel: "error",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    cacheDir: "node_modules/.vite/test-web",
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    plugins: [
      { name: "blank-page", configureServer: ({ middlewares }) => void middlewares.use("/blank", blankPage) },
    ],
  });
  await vite.listen();
  const browser = await launchChromium(options);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(new URL("/blank", vite.resolvedUrls?.local[0]).href);
  return {
    page,
    browser,
    async close() {
      await browser.close();
      await vite.close();
    },
  };
}

function blankPage(
  _request: unknown,
  response: { setHeader(name: string, value: string): void; end(body: string): void },
) {
  response.setHeader("content-type", "text/html");
  response.end('<!doctype html><script type="module" src="/test/web/page-modules.ts"></script>');
}
