/**
 * Toxiproxy as a process of its own, driven over its HTTP API: one proxy for each speaker, and what is put in its way.
 * Only what the chaos runs need of it. The API: https://github.com/Shopify/toxiproxy#http-api
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../e2e/server-process.ts";

export const installLine =
  "GOBIN=$PWD/.cache/bin go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0";

/** As toxiproxy has them; rate in KB/s, times in ms. */
export type Toxic =
  | { readonly type: "reset_peer"; readonly timeout: number }
  | { readonly type: "timeout"; readonly timeout: number }
  | { readonly type: "latency"; readonly latency: number }
  | { readonly type: "bandwidth"; readonly rate: number };

export type Direction = "upstream" | "downstream";

export interface ToxicProxy {
  readonly url: string;
  /** Resolves once it is in the way, also of open connections; the returned function takes it away. */
  add(toxic: Toxic, directions: readonly Direction[]): Promise<() => Promise<void>>;
}

export interface Toxiproxy {
  proxyTo(url: string): Promise<ToxicProxy>;
  close(): Promise<void>;
}

/** The binary: in the checkout's .cache/bin, or on the PATH under one of its names. */
export function findToxiproxy(): string | undefined {
  const root = join(import.meta.dirname, "../..");
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "toxiproxy-server"));
  return [join(root, ".cache/bin/server"), ...onPath].find(isExecutable);
}

export async function startToxiproxy(binary: string): Promise<Toxiproxy> {
  const port = await freePort();
  const api = `http://127.0.0.1:${port}`;
  const child = spawn(binary, ["-host", "127.0.0.1", "-port", String(port)], { stdio: "ignore" });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const giveUpAt = performance.now() + 10_000;
  while (!(await fetch(`${api}/version`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      child.kill();
      throw new Error(`${binary} did not start`);
    }
    await sleep(20);
  }
  let proxies = 0;
  let toxics = 0;
  return {
    async proxyTo(url) {
      const name = `speaker-${proxies++}`;
      const upstream = new URL(url).host;
      const { listen } = await call<{ listen: string }>(`${api}/proxies`, "POST", {
        name,
        upstream,
        listen: "127.0.0.1:0",
      });
      const path = `${api}/proxies/${name}/toxics`;
      return {
        url: `http://${listen}`,
        async add({ type, ...attributes }, directions) {
          const names = directions.map((stream) => ({ stream, name: `${type}-${stream}-${toxics++}` }));
          for (const toxic of names) await call(path, "POST", { ...toxic, type, attributes });
          return async () => {
            for (const toxic of names) await call(`${path}/${toxic.name}`, "DELETE");
          };
        },
      };
    },
    async close() {
      child.kill();
      await exited;
    },
  };
}

async function call<T>(url: string, method: string, body?: object): Promise<T> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`toxiproxy answered ${response.status} to ${method} ${url}: ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
