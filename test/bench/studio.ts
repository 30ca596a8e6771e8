/**
 * `npm run bench -- studio`: what the studio costs to open, and what a caption costs in it after an hour, in the Chromium of the
 * machine. Bytes and work do not depend on other load; the time to open does. Exits with 1 when a bar is missed.
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import type { CDPSession } from "playwright-core";
import { openStudio, type OpenedStudio } from "../browser/open-studio.ts";
import { openStudioPage } from "../web/open-studio-page.ts";
import { row } from "./row.ts";
import { quantile } from "./word-error.ts";

const maxFirstLoadBytes = 150_000;
const maxInteractiveMs = 1_000;
/** Of a caption in the sixtieth minute to one in the first. */
const maxCostRatio = 2;
const openings = 10;
/** So that each caption is drawn on its own, and the chart, which is drawn ten times a second, with it. */
const captionGapMs = 110;
const kept = 3;

export async function benchStudio(): Promise<void> {
  row(
    "machine",
    `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
  );
  const studio = await openStudio();
  const isLight = await measureBytes(studio);
  const isQuick = await measureOpening(studio);
  await studio.close();
  const isSteady = await measureHour();
  if (!(isLight && isQuick && isSteady)) process.exitCode = 1;
}

/** What comes over the wire until one can sign in, headers of answers with it. */
async function measureBytes({ browser, url }: OpenedStudio): Promise<boolean> {
  let gzipBytes = 0;
  for (const encoding of ["gzip", "br"]) {
    const context = await browser.newContext({ extraHTTPHeaders: { "accept-encoding": encoding } });
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send("Network.enable");
    let bytes = 0;
    let files = 0;
    devtools.on("Network.loadingFinished", ({ encodedDataLength }) => {
      bytes += encodedDataLength;
      files += 1;
    });
    await page.goto(url, { waitUntil: "networkidle" });
    await page.getByRole("button", { name: "Continue as developer" }).waitFor();
    await context.close();
    if (encoding === "gzip") gzipBytes = bytes;
    const measured = `${(bytes / 1000).toFixed(1)} KB, ${files} files`;
    row(
      `first load, ${encoding}`,
      measured,
      encoding === "gzip" ? `${maxFirstLoadBytes / 1000} KB` : undefined,
    );
  }
  return gzipBytes <= maxFirstLoadBytes;
}

/** From the start of a navigation, with nothing in the browser's cache, to the frame with the button that signs in. */
async function measureOpening({ browser, url }: OpenedStudio): Promise<boolean> {
  const times: number[] = [];
  const works: number[] = [];
  for (let opening = 0; opening < openings; opening += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.addInitScript(`
      globalThis.interactiveMs = new Promise((resolve) => {
        const look = (_, observer) => {
          if (!document.querySelector("main form button[type=submit]")) return;
          observer.disconnect();
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
        };
        new MutationObserver(look).observe(document, { childList: true, subtree: true });
      })`);
    await page.goto(url);
    await page.getByRole("button", { name: "Continue as developer" }).click({ trial: true });
    times.push(await page.evaluate<number>("globalThis.interactiveMs"));
    const metric = await metrics(devtools);
    works.push(1000 * metric("TaskDuration"));
    await context.close();
  }
  const medianMs = quantile(times, 0.5);
  const measured = `median ${medianMs.toFixed(0)} ms, worst of ${openings} ${Math.max(...times).toFixed(0)} ms, at load ${(loadavg()[0] ?? 0).toFixed(1)}`;
  row("navigation to sign-in button", measured, `median ${maxInteractiveMs} ms`);
  row("of that, work of the page's thread", `median ${quantile(works, 0.5).toFixed(0)} ms`);
  return medianMs <= maxInteractiveMs;
}

/** Processor time of the page's thread for scripts, styles and layout. The first minute is said once before, for code that is not warm yet. */
async function measureHour(): Promise<boolean> {
  const studio = await openStudioPage();
  const { page } = studio;
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.evaluate(
    `import("/test/web/hour-of-captions.ts").then((hour) => Object.assign(globalThis, { hour, take: hour.beginSession() }))`,
  );
  const perMinute = await page.evaluate<number>("hour.captionsPerMinute");
  const speak = (from: number, minutes: number, gapMs: number) =>
    page.evaluate(`hour.speak(take, ${from}, ${minutes}, ${gapMs})`);
  const minute = async (from: number) => {
    const before = await work(devtools);
    await speak(from, 1, captionGapMs);
    return ((await work(devtools)) - before) / perMinute;
  };
  await minute(0);
  const firsts: number[] = [];
  for (let round = 0; round < kept; round += 1) {
    await page.evaluate("take = hour.beginSession(), 0");
    firsts.push(await minute(0));
  }
  const atFirst = await memory(devtools);
  await speak(1, 56, 0);
  const lasts: number[] = [];
  for (let round = 0; round < kept; round += 1) lasts.push(await minute(57 + round));
  const atLast = await memory(devtools);
  await studio.close();
  const [first, last] = [quantile(firsts, 0.5), quantile(lasts, 0.5)];
  row("work for a caption, minute 1", `${first.toFixed(2)} ms`);
  row("work for a caption, minutes 58 to 60", `${last.toFixed(2)} ms`);
  row("the same as a ratio", (last / first).toFixed(2), String(maxCostRatio));
  row("heap, minute 1 and minute 60", `${atFirst.heapMb.toFixed(1)} MB, ${atLast.heapMb.toFixed(1)} MB`);
  row("nodes and listeners, minute 1", `${atFirst.nodes}, ${atFirst.listeners}`);
  row("nodes and listeners, minute 60", `${atLast.nodes}, ${atLast.listeners}`);
  return last / first <= maxCostRatio;
}

/** Milliseconds since the page began. */
async function work(devtools: CDPSession): Promise<number> {
  const metric = await metrics(devtools);
  return 1000 * (metric("ScriptDuration") + metric("LayoutDuration") + metric("RecalcStyleDuration"));
}

async function memory(devtools: CDPSession) {
  await devtools.send("HeapProfiler.collectGarbage");
  const metric = await metrics(devtools);
  return {
    heapMb: metric("JSHeapUsedSize") / 1e6,
    nodes: metric("Nodes"),
    listeners: metric("JSEventListeners"),
  };
}

async function metrics(devtools: CDPSession): Promise<(name: string) => number> {
  const { metrics } = await devtools.send("Performance.getMetrics");
  const values = new Map(metrics.map(({ name, value }) => [name, value]));
  return (name) => values.get(name) ?? NaN;
}
