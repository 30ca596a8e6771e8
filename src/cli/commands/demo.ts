/** `npm run demo`: a bundled recording through everything, in one process, which then goes on serving. */
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { startLocalServer } from "../local-server.ts";
import { openWav } from "../wav/open-wav.ts";
import { transcribe } from "./transcribe.ts";

const recording = fileURLToPath(new URL("../demo.wav", import.meta.url));

export function demoCommand(): Command {
  return new Command("demo")
    .description("transcribe a bundled recording, then serve until Ctrl-C")
    .option("--realtime", "send no faster than it was spoken")
    .action(async (options: { readonly realtime?: boolean }) => {
      const server = await startLocalServer();
      try {
        const { url, credential } = server.address;
        process.stdout.write(
          `Parley runs at ${url}; a recording is streamed to it over gRPC with a minted token.\n\n`,
        );
        await transcribe(await openWav(recording), server.address, { identity: "reader", ...options });
        process.stdout.write(`\nParley is at ${url} (API key for trying it: ${credential})\n`);
        if (process.stdout.isTTY) {
          process.stdout.write("Ctrl-C ends it.\n");
          await interrupted();
        }
      } finally {
        await server.stop();
      }
    });
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 60_000);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        clearInterval(keepAlive);
        resolve();
      });
    }
  });
}
