/** The WebSocket transport in a real Chromium: every kind of call, deadlines, cancellation, metadata, errors with details. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKindsGateway, type KindsGateway } from "../gateway/websocket/kinds-gateway.ts";
import { launchChromium, noChromium } from "./chromium.ts";

async function bundlePage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "parley-page-"));
  await build({
    configFile: false,
    logLevel: "silent",
    build: {
      outDir,
      modulePreload: false,
      rolldownOptions: {
        input: new URL("kinds-page.ts", import.meta.url).pathname,
        output: { entryFileNames: "main.js" },
      },
    },
  });
  const script = await readFile(join(outDir, "main.js"), "utf8");
  await rm(outDir, { recursive: true });
  return script;
}

describe.skipIf(noChromium !== undefined)(`in Chromium${noChromium ? ` (${noChromium})` : ""}`, () => {
  let server: KindsGateway;
  let browser: Browser;
  let page: Page;
  let closePage: () => void;

  beforeAll(async () => {
    const script = await bundlePage();
    const pages = createServer((request, response) => {
      const isScript = request.url === "/main.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<!doctype html><script type="module" src="/main.js"></script>');
    });
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    closePage = () => pages.close();
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    server = await startKindsGateway({ allowedOrigins: [origin] });
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(origin);
    await page.waitForFunction(() => "kinds" in globalThis);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    closePage();
  });

  test("each kind of call is answered", async () => {
    expect(await page.evaluate((url) => kinds(url).unary("red"), server.url)).toBe("red");
    expect(await page.evaluate((url) => kinds(url).server("red green"), server.url)).toEqual([
      "red",
      "green",
    ]);
    expect(await page.evaluate((url) => kinds(url).client("red", "green"), server.url)).toBe("red green");
    expect(await page.evaluate((url) => kinds(url).inTurns(3), server.url)).toEqual([
      "0",
      "after 0",
      "after after 0",
    ]);
  });

  test("metadata goes both ways", async () => {
    const { header, trailer } = await page.evaluate((url) => kinds(url).metadata(), server.url);
    expect(header).toMatchObject({
      "x-header": "a: b",
      "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(trailer).toMatchObject({ "x-trailer": "last", "x-bytes-bin": "AAEC" });
  });

  test("an error has its code, words, metadata and details, in each kind of call", async () => {
    const expected = {
      code: Code.ResourceExhausted,
      message: "too many; wait: 7 s",
      why: "too-many",
      retryAfterSeconds: "7",
    };
    expect(await page.evaluate((url) => kinds(url).failures(), server.url)).toEqual({
      unary: expected,
      server: expected,
      client: expected,
      bidi: expected,
    });
  });

  test("a deadline, a cancellation and a loop that is left end the call on the server too", async () => {
    const before = server.aborted.length;
    expect(await page.evaluate((url) => kinds(url).late(), server.url)).toMatchObject({
      code: Code.DeadlineExceeded,
    });
    await expect.poll(() => server.aborted.length).toBe(before + 1);
    const cancelled = await page.evaluate((url) => kinds(url).cancelled(200), server.url);
    expect(cancelled).toMatchObject({ code: Code.Canceled });
    await expect.poll(() => server.aborted.length).toBe(before + 2);
    expect(await page.evaluate((url) => kinds(url).leave(), server.url)).toBe(4096);
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });

  test("a page that is closed ends its calls", async () => {
    const other = await browser.newPage();
    await other.goto(page.url());
    await other.waitForFunction(() => "kinds" in globalThis);
    await other.evaluate((url) => void kinds(url).waiting(), server.url);
    await expect.poll(() => server.gateway.callsInFlight()).toBe(1);
    await other.close();
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });

  test("a large message goes through", async () => {
    const length = await page.evaluate(
      async (url) => (await kinds(url).unary("long ".repeat(100_000))).length,
      server.url,
    );
    expect(length).toBe(500_000);
  });

  test("a server that stops says so", async () => {
    const stopping = await startKindsGateway({ allowedOrigins: [new URL(page.url()).origin] });
    const call = page.evaluate((url) => kinds(url).waiting(), stopping.url);
    await expect.poll(() => stopping.gateway.callsInFlight()).toBe(1);
    await stopping.close();
    expect(await call).toMatchObject({ code: Code.Unavailable, message: "the server is stopping" });
    expect(await page.evaluate((url) => kinds(url).waiting(), stopping.url)).toMatchObject({
      code: Code.Unavailable,
    });
  });
});
