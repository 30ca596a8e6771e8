/** `parley serve`: the server, as `npm start` runs it. */
import { Command } from "commander";

export function serveCommand(): Command {
  return new Command("serve")
    .description("serve until SIGTERM or Ctrl-C; configured by the environment")
    .action(async () => {
      const { serve } = await import("../../main.ts"); // half a second that other commands need not wait
      await serve();
      await new Promise(() => undefined); // from here on, serve's signal handlers end the process
    });
}
