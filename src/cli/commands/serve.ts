/** `parley serve`: the server, as `npm start` runs it. */
import { Command } from "commander";
import { serve } from "../../main.ts";

export function serveCommand(): Command {
  return new Command("serve")
    .description("serve until SIGTERM or Ctrl-C; configured by the environment")
    .action(async () => {
      await serve();
      await new Promise(() => undefined); // from here on, serve's signal handlers end the process
    });
}
