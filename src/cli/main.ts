#!/usr/bin/env node
/** The parley command. Knows the commands and the exit codes: 0 done, 1 failed, 2 wrong input. */
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config.ts";
import { CliError } from "./cli-error.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { keysCommand } from "./commands/keys.ts";
import { serveCommand } from "./commands/serve.ts";
import { tokenCommand } from "./commands/token.ts";
import { transcribeCommand } from "./commands/transcribe.ts";

const program = new Command("parley")
  .description("A speech backend to host yourself.")
  .addCommand(serveCommand())
  .addCommand(transcribeCommand())
  .addCommand(tokenCommand())
  .addCommand(keysCommand())
  .addCommand(doctorCommand())
  .addCommand(demoCommand(), { hidden: true });

for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap((group) => group.commands),
]) {
  command.exitOverride();
}

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
