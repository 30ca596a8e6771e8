/** A failure that ends a command with one line on stderr. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** 2: the input is wrong; 130: interrupted by Ctrl-C, as shells have it; 1: anything else. */
export type ExitCode = 1 | 2 | 130;
