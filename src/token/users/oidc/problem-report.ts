/** What is wrong with something that is asked again and again: told once for a row of like failures, and kept for health. */

export class ProblemReport {
  readonly #onProblem: (problem: string, error: unknown) => void;
  #problem: string | undefined;

  constructor(onProblem: (problem: string, error: unknown) => void) {
    this.#onProblem = onProblem;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  failed(error: Error): void {
    if (error.message === this.#problem) return;
    this.#problem = error.message;
    this.#onProblem(error.message, error);
  }

  worked(): void {
    this.#problem = undefined;
  }
}
