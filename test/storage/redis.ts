/**
 * A real Redis for a test file, beside a real PostgreSQL of its own. Redis is at TEST_REDIS_URL, by default on this machine;
 * where none answers, the tests are skipped by name.
 */
import { createClient } from "@redis/client";
import { describe } from "vitest";
import { describePostgres } from "./databases.ts";

export const redisUrl = process.env["TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379";

/** Undefined when Redis answers; else why it does not. */
export const redisMissing: string | undefined = await askRedis(["PING"]).then(
  () => undefined,
  (error: unknown) => (error instanceof Error ? error.message || error.name : "no answer"),
);

/** As describePostgres, where there is a Redis too. */
export function describeRedis(name: string, tests: (url: () => string) => void): void {
  if (redisMissing === undefined) describePostgres(name, tests);
  else describe.skip(`${name} (skipped: no Redis here: ${redisMissing})`, () => tests(() => ""));
}

export async function askRedis(command: readonly string[]): Promise<unknown> {
  const client = createClient({
    url: redisUrl,
    socket: { connectTimeout: 3000, reconnectStrategy: false },
    disableClientInfo: true,
  });
  client.on("error", () => undefined); // connect says the same
  await client.connect();
  try {
    return await client.sendCommand([...command]);
  } finally {
    client.destroy();
  }
}
