/** The ways into the studio, in a real Chromium against the whole server and a real OpenID provider. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mintTranscriptionToken } from "../e2e/speech-client.ts";
import {
  apiAudience,
  makeProviderKey,
  startProvider,
  type TestProvider,
} from "../token/users/oidc/start-provider.ts";
import { noChromium } from "./chromium.ts";
import { findFreePort, openStudio, type OpenedStudio } from "./open-studio.ts";

const named = (name: string) => (noChromium === undefined ? name : `${name} (${noChromium})`);
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();
const pasteToken = async (page: Page, token: string) => {
  await page.getByText("Paste a token instead").click();
  await page.getByRole("textbox", { name: "Token" }).fill(token);
  await page.getByRole("button", { name: "Sign in with token" }).click();
};

describe.skipIf(noChromium !== undefined)(named("at a developer's own machine"), () => {
  let studio: OpenedStudio;
  beforeAll(async () => void (studio = await openStudio()));
  afterAll(() => studio.close());

  test("one click signs in, a reload keeps it, and signing out ends it", async () => {
    const { page, url, complaints } = studio;
    await page.goto(`${url}/#/sessions`);
    await heading(page, "Hear how you sound");
    await page.getByRole("textbox", { name: "Your name" }).fill("ada");
    await page.getByRole("button", { name: "Continue as developer" }).click();
    await heading(page, "Sessions");
    await page.reload();
    await heading(page, "Sessions");
    expect(await page.locator(".who-name").textContent()).toContain("ada");
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "Hear how you sound");
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("a pasted token that is no good is told of where it was pasted", async () => {
    const { page, url } = studio;
    await page.goto(url);
    await pasteToken(page, "hello");
    await page.getByText("That is not a token").waitFor();
    const forged = `${btoa('{"alg":"HS256"}')}.${btoa('{"sub":"ada"}')}.AAAA`;
    await page.getByRole("textbox", { name: "Token" }).fill(forged);
    await page.getByRole("button", { name: "Sign in with token" }).click();
    await page.getByText("This server does not take that token").waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test("a transcription token opens its room, and says what it does not open", async () => {
    const { page, url, server } = studio;
    const token = await mintTranscriptionToken(server.url, server.apiKey, "grace");
    await page.goto("about:blank"); // a new page, with the form closed
    await page.goto(`${url}/#/rooms`);
    await pasteToken(page, token);
    await page.getByRole("link", { name: "Watch this room" }).click();
    await heading(page, "room-grace-");
    await page.getByText("Nobody has spoken yet").waitFor();
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.getByText("Your token records and watches in one room").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
  });
});

describe.skipIf(noChromium !== undefined)(named("at an OpenID provider"), () => {
  let studio: OpenedStudio;
  let provider: TestProvider;
  beforeAll(async () => {
    const port = await findFreePort();
    provider = await startProvider({
      keys: [makeProviderKey("ES256", "k")],
      page: { clientId: "studio", redirectUri: `http://localhost:${port}/` },
      extraClaims: { name: "Ada Lovelace" },
    });
    studio = await openStudio({
      port,
      env: {
        OIDC_ISSUERS: provider.issuer,
        OIDC_AUDIENCE: apiAudience,
        OIDC_CLIENT_ID: "studio",
        OIDC_SCOPES: "openid profile offline_access",
      },
      expectedOrigins: [provider.issuer],
    });
  });
  afterAll(async () => {
    await studio.close();
    await provider.stop();
  });

  const logIn = async (page: Page) => {
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.locator("[name=login]").fill("ada");
    await page.locator("[name=password]").fill("any");
    await page.locator("button[type=submit]").click();
    await page.getByText("Authorize").waitFor();
    await page.locator("button[type=submit]").click();
  };

  test("one comes back signed in, to the place where one was, with no code in the address", async () => {
    const { page, url, complaints } = studio;
    await page.goto(`${url}/#/rooms`);
    await logIn(page);
    await heading(page, "Rooms");
    expect(page.url()).toBe(`${url}/#/rooms`);
    expect(await page.locator(".who-name").textContent()).toContain("Ada Lovelace");
    await page.getByText("You own none yet").waitFor(); // the server takes the token
    expect(complaints).toEqual([]);
  });

  test("a token that expires is renewed without a word", async () => {
    const { page } = studio;
    const kept = () =>
      page.evaluate(
        () =>
          (JSON.parse(sessionStorage.getItem("parley.sign-in") ?? "{}") as { accessToken: string })
            .accessToken,
      );
    const before = await kept();
    await page.clock.install({ time: Date.now() + 3_590_000 });
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.getByText("Nothing recorded yet").waitFor();
    expect(await kept()).not.toBe(before);
    expect(provider.requests.get("/token")).toBe(2);
  });

  test("signing out takes the refresh token back", async () => {
    const { page } = studio;
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "Hear how you sound");
    await expect.poll(() => provider.requests.get("/token/revocation")).toBe(1);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test("an answer that was not asked for, or that says no, signs nobody in", async () => {
    const { page, url } = studio;
    await page.goto(`${url}/?code=stolen&state=guessed#/rooms`);
    await page.getByText("This sign-in was not begun in this tab").waitFor();
    expect(page.url()).toBe(`${url}/`);
    await page.goto(url);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.locator("[name=login], button[type=submit]").first().waitFor();
    const { state } = await readFlow(page, url);
    await page.goto(`${url}/?error=access_denied&state=${state}`);
    await page.getByText("The sign-in was called off").waitFor();
  });

  test("an ID token for another sign-in counts for nothing", async () => {
    const { page, url } = studio;
    await page.goto(url);
    await page.evaluate(() => {
      // eslint-disable-next-line @typescript-eslint/unbound-method
      const { setItem } = Storage.prototype;
      // As if another sign-in's answer were played into this one.
      Storage.prototype.setItem = function (key, value) {
        setItem.call(
          this,
          key,
          key === "parley.oidc-flow" ? value.replace(/"nonce":"[^"]*"/, '"nonce":"other"') : value,
        );
      };
    });
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    const consent = page.locator("button[type=submit]");
    await consent.waitFor();
    if ((await page.locator("[name=login]").count()) > 0) {
      await page.locator("[name=login]").fill("ada");
      await page.locator("[name=password]").fill("any");
      await consent.click();
      await page.getByText("Authorize").waitFor();
    }
    await consent.click();
    await page.getByText("is not for this sign-in").waitFor();
    expect(await page.evaluate(() => sessionStorage.getItem("parley.sign-in"))).toBeNull();
  });
});

/** What the tab keeps while its user is away, read on a page of the studio's origin that runs no studio. */
async function readFlow(page: Page, url: string): Promise<{ state: string }> {
  await page.goto(`${url}/studio/config.json`);
  return page.evaluate(
    () => JSON.parse(sessionStorage.getItem("parley.oidc-flow") ?? "{}") as { state: string },
  );
}
