/** `parley doctor`: checks every configured dependency and says what is wrong. */
import { Command } from "commander";
import { CliError } from "../cli-error.ts";

const marks = { ok: "✓", warning: "!", wrong: "✗" } as const;

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check every configured dependency and say what is wrong")
    .action(async () => {
      const { diagnose } = await import("../../diagnose.ts"); // half a second that other commands need not wait
      let wrong = 0;
      for await (const finding of diagnose()) {
        process.stdout.write(`${marks[finding.state]} ${finding.subject.padEnd(14)} ${finding.detail}\n`);
        if (finding.state === "wrong") wrong += 1;
      }
      if (wrong > 0) throw new CliError(`${wrong} ${wrong === 1 ? "finding is" : "findings are"} wrong`);
    });
}
