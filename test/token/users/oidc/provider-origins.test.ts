/** Which origins a page may ask to sign in at an issuer: as its discovery document says, and no more than that. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { ProviderOrigins } from "../../../../src/token/users/oidc/provider-origins.ts";
import { readEndpointOrigins } from "../../../../src/token/users/oidc/read-discovery.ts";
import { createManualClock } from "../../../fakes/manual-clock.ts";
import { startScriptedIssuer, type ScriptedIssuer } from "../../../fakes/scripted-issuer.ts";

let provider: ScriptedIssuer;
let problems: string[];
let origins: ProviderOrigins | undefined;
beforeEach(async () => {
  problems = [];
  provider = await startScriptedIssuer();
});
afterEach(async () => {
  origins?.close();
  await provider.stop();
});
const clock = createManualClock();
const open = () =>
  (origins = new ProviderOrigins({
    issuer: provider.issuer,
    clock,
    onProblem: (problem) => void problems.push(problem),
  }));

test("the issuer's own at first, then also where its token and revocation endpoints are", async () => {
  provider.discovery = {
    token_endpoint: "https://pool.auth.example/oauth2/token",
    revocation_endpoint: "https://pool.auth.example/oauth2/revoke",
    userinfo_endpoint: "https://elsewhere.example/userinfo",
  };
  const opened = open();
  expect(opened.get()).toEqual([provider.issuer]);
  await expect.poll(() => opened.get()).toEqual([provider.issuer, "https://pool.auth.example"]);
  expect(provider.asked.discovery).toBe(1);
});

test("what was known goes on while the issuer does not answer, and is asked for again", async () => {
  provider.discovery = { token_endpoint: "https://one.example/token" };
  const opened = open();
  await expect.poll(() => opened.get()).toContain("https://one.example");
  provider.answerDiscovery = (_, response) => void response.writeHead(500).end();
  await clock.advance(600_000);
  await expect.poll(() => (opened.get(), problems)).toHaveLength(1);
  expect(opened.get()).toContain("https://one.example");
  provider.answerDiscovery = undefined;
  provider.discovery = { token_endpoint: "https://two.example/token" };
  await clock.advance(5_000);
  await expect.poll(() => opened.get()).toEqual([provider.issuer, "https://two.example"]);
});

test("endpoints that no page should ask are passed over, and another issuer's document is refused", () => {
  const issuer = "https://id.example";
  const read = (token_endpoint: unknown) => readEndpointOrigins({ issuer, token_endpoint }, issuer);
  expect(read("https://a.example:8443/x; script-src *")).toEqual(["https://a.example:8443"]);
  expect(read("https://[::1]:8443/token")).toEqual(["https://[::1]:8443"]);
  const odd = [
    "https://*/token",
    "https://*.example/token",
    "https://a;script-src/token",
    "https://a,b/token",
  ];
  for (const bad of [...odd, "http://a.example/token", "data:text/plain,a", "javascript:a", "/token", "", 7])
    expect(read(bad), String(bad)).toEqual([]);
  expect(() => readEndpointOrigins({ issuer: "https://b.example" }, issuer)).toThrow("another issuer");
});
