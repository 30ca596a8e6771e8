#!/usr/bin/env -S node --max-semi-space-size=8
/** The parley command. Knows the commands and the exit codes: 0 done, 1 failed, 2 wrong input, 130 interrupted. */
import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { ConfigError } from "../config.ts";
import { CliError } from "./cli-error.ts";
import { auditCommand } from "./commands/audit.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { keysCommand } from "./commands/keys.ts";
import { serveCommand } from "./commands/serve.ts";
import { sessionsCommand } from "./commands/sessions.ts";
import { tokenCommand } from "./commands/token.ts";
import { transcribeCommand } from "./commands/transcribe.ts";

const program = new Command("parley")
  .description("A speech backend to host yourself.")
  .version(packageJson.version)
  .addCommand(serveCommand())
  .addCommand(transcribeCommand())
  .addCommand(sessionsCommand())
  .addCommand(tokenCommand())
  .addCommand(keysCommand())
  .addCommand(auditCommand())
  .addCommand(doctorCommand())
  .addCommand(demoCommand(), { hidden: true })
  .addHelpText("after", "\nA server is configured by the environment; .env.example lists the variables.");

for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap((group) => group.commands),
]) {
  command.exitOverride();
}

// Whoever reads has enough, as `head` does: ends without a word, with the code that shells give to SIGPIPE.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(141);
  throw error;
});

try {
  await program.parseAsync();
  process.exit(0);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exit(error.exitCode === 0 ? 0 : 2); // commander has written what is wrong
  }
  const message = error instanceof Error ? error.message : "failed";
  process.stderr.write(`${message}\n`);
  process.exit(error instanceof CliError ? error.exitCode : error instanceof ConfigError ? 2 : 1);
}
