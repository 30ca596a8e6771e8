/** `npm run demo`: a bundled recording through everything, in one process, which then goes on serving. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { interruptible } from "../interruptible.ts";
import { startLocalServer } from "../local-server.ts";
import { openWav } from "../wav/open-wav.ts";
import { transcribe } from "./transcribe.ts";

const recording = fileURLToPath(new URL("../demo.wav", import.meta.url));

export function demoCommand(): Command {
  return new Command("demo")
    .description("transcribe a bundled recording, then serve until Ctrl-C")
    .option("--realtime", "send no faster than it was spoken")
    .action((options: { readonly realtime?: boolean }) =>
      interruptible(async (signal) => {
        const server = await startLocalServer(signal);
        try {
          const { url, credential } = server.address;
          process.stdout.write(
            `Parley runs at ${url}; a recording is streamed to it over gRPC with a minted token.\n\n`,
          );
          const wav = await openWav(recording);
          await transcribe(wav, server.address, { identity: "reader", ...options }, signal);
          process.stdout.write(`\nThe studio: ${url}\nAPI key for trying the server: ${credential}\n`);
          if (process.stdout.isTTY) {
            process.stdout.write("Ctrl-C ends it.\n");
            await aborted(signal); // the server keeps the process alive
          }
        } finally {
          await server.stop();
        }
      }),
    );
}

/** Resolves, for Ctrl-C is how it is meant to end. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
