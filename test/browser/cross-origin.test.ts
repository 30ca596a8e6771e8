/**
 * An app on another origin, in a real Chromium, with the package that npm would publish: bundled by Vite and by webpack, it
 * calls over fetch and over WebSockets, streams real speech and reads captions; a page that is not allowed does neither.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { Code } from "@connectrpc/connect";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelsMissing } from "../e2e/models.ts";
import { mintTranscriptionToken } from "../e2e/speech-client.ts";
import { startServerProcess, type ServerProcess } from "../e2e/server-process.ts";
import { launchChromium, noChromium } from "./chromium.ts";
import { bundlers, gzippedBytes, installPackedClient, type Bundler } from "./pack-client.ts";
import { appSource } from "./page-app.ts";

interface App {
  readonly origin: string;
  close(): void;
}

/** Serves a page with the script, and the recording. */
async function serveApp(scripts: ReadonlyMap<Bundler, string>): Promise<App> {
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const bundler = path.slice(1) as Bundler;
    const script = scripts.get(path.replace(/^\/(.*)\.js$/, "$1") as Bundler);
    if (script !== undefined && path.endsWith(".js")) {
      response.setHeader("content-type", "text/javascript").end(script);
    } else if (path === "/speech.wav") {
      void readFile(new URL("../audio/austen-0870.wav", import.meta.url)).then((wav) => response.end(wav));
    } else {
      const page = `<!doctype html><title>app</title><script type="module" src="/${bundler}.js"></script>`;
      response.setHeader("content-type", "text/html").end(page);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}

const why = noChromium ?? modelsMissing;

describe.skipIf(why !== undefined)(`an app on another origin${why === undefined ? "" : ` (${why})`}`, () => {
  const scripts = new Map<Bundler, string>();
  let allowed: App;
  let refused: App;
  let server: ServerProcess;
  let browser: Browser;

  beforeAll(async () => {
    const packed = await installPackedClient();
    for (const bundler of bundlers) scripts.set(bundler, await packed.bundle(bundler, appSource));
    await packed.close();
    allowed = await serveApp(scripts);
    refused = await serveApp(scripts);
    server = await startServerProcess({ env: { ALLOWED_ORIGINS: allowed.origin } });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    allowed.close();
    refused.close();
  });

  async function open(app: App, bundler: Bundler): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`${app.origin}/${bundler}`);
    await page.waitForFunction(() => "parley" in globalThis);
    return page;
  }

  describe.each(bundlers)("bundled by %s, without a polyfill", (bundler) => {
    test("is small, and asks for nothing of Node", () => {
      const script = scripts.get(bundler) ?? "";
      expect(gzippedBytes(script)).toBeLessThan(80 * 1024);
      expect(script).not.toMatch(/from"node:|require\("(node:)?(buffer|stream|events)"\)/);
    });

    test.each(["connect", "grpcWeb", "webSocket"] as const)(
      "calls over %s, reads its headers, and hears what is wrong with a call",
      async (kind) => {
        const page = await open(allowed, bundler);
        const list = (token: string, roomName: string) =>
          page.evaluate((args) => parley.list(...args), [kind, server.url, token, roomName] as const);
        const good = await list(server.apiKey, "nobody's");
        expect(good).toMatchObject({ sessions: 0 });
        expect(good.header["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
        expect(await list("bad", "")).toMatchObject({ code: Code.Unauthenticated });
        expect(await list(server.apiKey, "x".repeat(200))).toMatchObject({ code: Code.InvalidArgument });
        await page.close();
      },
    );

    test.each(["connect", "grpcWeb", "webSocket"] as const)(
      "is not let in over %s from an origin that is not allowed",
      async (kind) => {
        const page = await open(refused, bundler);
        const outcome = await page.evaluate((args) => parley.list(...args), [
          kind,
          server.url,
          server.apiKey,
          "",
        ] as const);
        expect(outcome.sessions).toBeUndefined();
        expect([Code.Unavailable, Code.Unknown, Code.Internal]).toContain(outcome.code);
        await page.close();
      },
    );

    test("streams speech up while it reads captions down", async () => {
      const token = await mintTranscriptionToken(server.url, server.apiKey);
      const page = await open(allowed, bundler);
      const { transcript, seen } = await page.evaluate((args) => parley.transcribe(...args), [
        server.url,
        token,
        "/speech.wav",
      ] as const);
      expect(transcript.toLowerCase()).toContain("dashwood");
      expect(seen[0]).toBe("sessionStarted");
      expect(seen).toContain("transcript");
      expect(seen.at(-1)).toBe("sessionSummary");
      await page.close();
    });
  });

  test("a preflight may be kept for two hours", async () => {
    const preflight = await fetch(`${server.url}/parley.transcription.v1.TranscriptionService/ListSessions`, {
      method: "OPTIONS",
      headers: {
        origin: allowed.origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,connect-protocol-version,content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-max-age")).toBe("7200");
    expect(preflight.headers.get("access-control-allow-origin")).toBe(allowed.origin);
  });
});
