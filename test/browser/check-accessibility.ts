/** What axe finds wrong with a page: its rules are those of WCAG 2.2 A and AA, and its own good practices. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A line for each finding that is serious or critical: the rule, and where. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(source); // as a debugger does, which the page's own policy does not forbid
  const { violations } = await page.evaluate<AxeResults>("axe.run(document)");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(" ")} — ${node.failureSummary}`),
    );
}
