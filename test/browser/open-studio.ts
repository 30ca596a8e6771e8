/** The studio as people meet it: built, served by a whole server, opened in a real Chromium, which tells of every complaint. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { SpeechEngine } from "../../src/transcription/engines/speech-engine.ts";
import { startTestServer, type TestServer } from "../e2e/start-test-server.ts";
import { buildStudio } from "../web/build-studio.ts";
import { launchChromium } from "./chromium.ts";

export interface OpenedStudio {
  readonly server: TestServer;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Its address, `http://localhost:PORT`: browsers trust that name as they trust https. */
  readonly url: string;
  /** Errors that the page threw or wrote to its console, a broken policy among them; addresses elsewhere that it asked. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export interface OpenStudioOptions {
  readonly port?: number;
  /** Of the server. Default: secrets of its own, and so a sign-in for developers. */
  readonly env?: Readonly<Record<string, string>>;
  /** Origins besides its own that the page is expected to ask. */
  readonly expectedOrigins?: readonly string[];
  /** Lifetime of the tokens that the server makes for recording. */
  readonly tokenSeconds?: number;
  /** A WAV file that its microphone hears, over and over. Default: there is no microphone. */
  readonly microphoneFile?: string;
  /** Default: one that hears marks. */
  readonly engine?: SpeechEngine;
}

export async function openStudio(options: OpenStudioOptions = {}): Promise<OpenedStudio> {
  const {
    port = 0,
    env = { JWT_SECRET: "" },
    expectedOrigins = [],
    microphoneFile,
    engine,
    tokenSeconds,
  } = options;
  const studioFolder = await buildStudio();
  const server = await startTestServer(
    { PORT: String(port), ...env },
    { studioFolder, ...(engine && { engine }), ...(tokenSeconds !== undefined && { tokenSeconds }) },
  );
  const url = `http://localhost:${new URL(server.url).port}`;
  const browser = await launchChromium(microphoneFile === undefined ? {} : { microphoneFile });
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  // Of pages that it leads to, such as a provider's, nothing is told: theirs are other files, and the studio sends no referrer.
  page.on("console", (message) => {
    if (message.type() === "error" && message.location().url.startsWith(url)) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    const isExpected = [url, ...expectedOrigins].includes(origin) || !/^http/.test(origin);
    if (!isExpected && request.headers()["referer"] === undefined) complaints.push(`asked ${origin}`);
  });
  return {
    server,
    browser,
    context,
    page,
    url,
    complaints,
    async close() {
      await browser.close();
      await server.stop(0);
    },
  };
}

/** A port that is free now; for a server whose address others must know before it starts. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
