/** What tests do on the studio's page, and read from it. */
import type { Page } from "playwright-core";

/** For the name of a suite that may be skipped. */
export const because = (reason: string | undefined, name: string) =>
  reason === undefined ? name : `${name} (${reason})`;

export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("button", { name: "Continue as developer" }).click();
  await page.getByRole("button", { name: "Record", exact: true }).waitFor();
}

/** The words that are final, as far as they are drawn. */
export async function spoken(page: Page, place: ".captions" | ".transcript"): Promise<string> {
  return (await page.locator(`${place} .word:not(.interim)`).allTextContents()).join(" ");
}
