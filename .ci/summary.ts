/** Counts the tests that ran, names those that were skipped, and fails when one was: CI has everything they need. */
import { readFileSync } from "node:fs";

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const results = JSON.parse(readFileSync(".cache/test-results.json", "utf8")) as Results;
const skipped = results.testResults
  .flatMap((file) => file.assertionResults)
  .filter((result) => result.status !== "passed" && result.status !== "failed");
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
console.log(`${results.numPassedTests} passed, ${results.numFailedTests} failed, ${skipped.length} skipped`);
if (skipped.length > 0 || results.numFailedTests > 0 || results.numPassedTests === 0) process.exitCode = 1;
