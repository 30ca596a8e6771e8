/**
 * A real livekit-server for a test file, as a process of its own on free ports, with no redis. The binary is .cache/bin's,
 * which build.sh makes, or what TEST_LIVEKIT_SERVER names; where there is none, what needs it is skipped by name.
 */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RoomServiceClient } from "livekit-server-sdk";
import { afterAll, beforeAll, describe } from "vitest";
import type { LiveKitSettings } from "../../src/token/targets/livekit/issue-token.ts";
import { freePort } from "../e2e/server-process.ts";

export interface LiveKitServerProcess {
  readonly settings: LiveKitSettings;
  /** Under http:// */
  readonly httpUrl: string;
  /** LiveKit's own client, to see what is there. */
  readonly client: RoomServiceClient;
  stop(): Promise<void>;
}

const binary =
  process.env["TEST_LIVEKIT_SERVER"] ?? join(import.meta.dirname, "../../.cache/bin/livekit-server");

/** Such as "1.9.11"; undefined when there is no binary that runs. */
const version = (() => {
  try {
    return /version (\S+)/.exec(execFileSync(binary, ["--version"], { encoding: "utf8" }))?.[1];
  } catch {
    return undefined;
  }
})();

/** Undefined when it can be started; else why not. */
export const liveKitServerMissing: string | undefined =
  version === undefined ? `${binary} cannot be run; test/livekit-server/build.sh makes it` : undefined;

/** `server` may be called within tests and hooks. */
export function describeLiveKitServer(
  name: string,
  tests: (server: () => LiveKitServerProcess) => void,
): void {
  const title =
    liveKitServerMissing === undefined
      ? `${name} (livekit-server ${version})`
      : `${name} (skipped: no livekit-server here: ${liveKitServerMissing})`;
  describe.skipIf(liveKitServerMissing !== undefined)(title, () => {
    let server: LiveKitServerProcess;
    beforeAll(async () => {
      server = await startLiveKitServer();
    });
    afterAll(() => server.stop());
    tests(() => server);
  });
}

export async function startLiveKitServer(): Promise<LiveKitServerProcess> {
  const settings = {
    apiKey: "APItestkey",
    apiSecret: "a-livekit-secret-of-32-bytes-at-least",
  };
  const port = await freePort();
  const tcpPort = await freePort();
  // JSON is YAML.
  const config = JSON.stringify({
    port,
    bind_addresses: ["127.0.0.1"],
    rtc: { tcp_port: tcpPort, node_ip: "127.0.0.1", use_external_ip: false, enable_loopback_candidate: true },
    keys: { [settings.apiKey]: settings.apiSecret },
    logging: { level: "warn" },
  });
  const child = spawn(binary, ["--config-body", config], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const httpUrl = `http://127.0.0.1:${port}`;
  const giveUpAt = performance.now() + 30_000;
  while (!(await fetch(httpUrl).catch(() => undefined))?.ok) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      child.kill("SIGKILL");
      throw new Error(`${binary} did not start:\n${output}`);
    }
    await sleep(20);
  }
  return {
    settings: { url: `ws://127.0.0.1:${port}`, ...settings },
    httpUrl,
    client: new RoomServiceClient(httpUrl, settings.apiKey, settings.apiSecret),
    async stop() {
      child.kill("SIGKILL"); // SIGTERM would wait for everybody to leave
      await exited;
    },
  };
}
