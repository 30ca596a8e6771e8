/** The studio's files over HTTP: what they are sent as, what browsers may do with them, and that no other file is reached. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { indexPage } from "../../../src/gateway/index-page.ts";
import { createStudio, type StudioOptions } from "../../../src/gateway/studio/create-studio.ts";
import { readStudioFiles } from "../../../src/gateway/studio/studio-files.ts";
import { startEchoGateway, type EchoGateway } from "../echo-gateway.ts";

const html = "<!doctype html><title>Studio</title>";
const script = "export const words = 'words words words words words words words';\n";
let folder = "";
beforeAll(async () => {
  const above = await mkdtemp(join(tmpdir(), "parley-studio-"));
  folder = join(above, "web");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(above, "secret.js"), "not yours");
  await writeFile(join(folder, "index.html"), html);
  await writeFile(join(folder, "notes.md"), "of a kind that is not served");
  await writeFile(join(folder, "assets/a-1.js"), script);
  await writeFile(join(folder, "assets/a-1.js.br"), brotliCompressSync(script));
  await writeFile(join(folder, "assets/a-1.js.gz"), gzipSync(script));
});
afterAll(() => rm(join(folder, ".."), { recursive: true }));

let echo: EchoGateway | undefined;
afterEach(() => echo?.close());
async function start(options: Partial<StudioOptions> = {}): Promise<string> {
  const files = await readStudioFiles(folder);
  echo = await startEchoGateway({ fallback: createStudio({ files, indexPage, ...options }) });
  return echo.url;
}
/** Without what fetch does by itself: it expands bodies, and names encodings of its own. */
function ask(url: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      request(url, { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      })
        .on("error", reject)
        .end();
    },
  );
}

test("the page is asked for each time, and not sent again to who has it", async () => {
  const url = await start();
  const first = await ask(`${url}/?code=1&state=2`);
  expect(first.body.toString()).toBe(html);
  expect(first.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "content-length": String(html.length),
  });
  const again = await ask(`${url}/`, { "if-none-match": `"other", ${String(first.headers["etag"])}` });
  expect([again.status, again.body.length]).toEqual([304, 0]);
  expect(again.headers["etag"]).toBe(first.headers["etag"]);
  expect((await ask(`${url}/`, { "if-none-match": '"other"' })).status).toBe(200);
});

test("hashed files are kept for ever, in the smallest form that the browser takes", async () => {
  const path = `${await start()}/assets/a-1.js`;
  const plain = await ask(path);
  expect(plain.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=31536000, immutable",
    vary: "Accept-Encoding",
  });
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.body.toString()).toBe(script);
  const encodingOf = async (accepted: string) => {
    const answer = await ask(path, { "accept-encoding": accepted });
    return [answer.headers["content-encoding"], answer.headers["etag"]];
  };
  const tag = String(plain.headers["etag"]).slice(0, -1);
  expect(await encodingOf("gzip, deflate, br, zstd")).toEqual(["br", `${tag}-br"`]);
  expect(await encodingOf("GZIP")).toEqual(["gzip", `${tag}-gzip"`]);
  expect(await encodingOf("br;q=0, gzip;q=0.1")).toEqual(["gzip", `${tag}-gzip"`]);
  expect(await encodingOf("br; q=0.000")).toEqual([undefined, `${tag}"`]);
  expect(await encodingOf("identity, deflate")).toEqual([undefined, `${tag}"`]);
});

test("HEAD has the same headers and no body; other methods are refused", async () => {
  const url = await start();
  const head = await ask(`${url}/`, {}, "HEAD");
  expect([head.status, head.body.length]).toEqual([200, 0]);
  expect(head.headers["content-length"]).toBe(String(html.length));
  const post = await ask(`${url}/`, {}, "POST");
  expect([post.status, post.headers["allow"]]).toEqual([405, "GET, HEAD"]);
});

test("browsers are told to run nothing but the studio's own files, and to let nobody else hold it", async () => {
  const { headers } = await ask(`${await start()}/`);
  const policy = String(headers["content-security-policy"]).split("; ");
  expect(policy).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]),
  );
  expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
  expect(headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": expect.stringMatching(/^microphone=\(self\), camera=\(\)/) as unknown,
  });
});

test("the page may ask where the provider's endpoints are, as far as that is known when it is fetched", async () => {
  const origins = ["https://id.example"];
  const oidc = { issuer: "https://id.example", clientId: "studio", scopes: "openid" };
  const url = await start({ oidc, providerOrigins: () => origins });
  const policy = async () => String((await ask(`${url}/`)).headers["content-security-policy"]);
  expect(await policy()).toContain("; connect-src 'self' https://id.example;");
  origins.push("https://login.example");
  expect(await policy()).toContain("; connect-src 'self' https://id.example https://login.example;");
});

test("the page may ask the provider that it is told of, and no other", async () => {
  const oidc = { issuer: "https://id.example/realms/a", clientId: "studio", scopes: "openid" };
  const url = await start({ oidc: { ...oidc, resource: "https://api.example" } });
  const { headers } = await ask(`${url}/`);
  expect(headers["content-security-policy"]).toContain("; connect-src 'self' https://id.example;");
  const config = await fetch(`${url}/studio/config.json`);
  expect(config.headers.get("cache-control")).toBe("no-store");
  expect(await config.json()).toEqual({
    development: false,
    oidc: { ...oidc, resource: "https://api.example" },
  });
});

test.each([
  "/../secret.js",
  "/assets/../../secret.js",
  "/assets/..%2f..%2fsecret.js",
  "/assets/%2e%2e/%2e%2e/secret.js",
  "/assets/..\\..\\secret.js",
  "/assets/a-1.js%00.html",
  "/assets/a-1.js/",
  "/assets/a-1.js.br",
  "/assets",
  "/index.html",
  "/notes.md",
  "/constructor",
  "/__proto__",
])("%s leads to no file", async (path) => {
  const { port } = new URL(await start());
  const { exchange } = await import("../raw-clients.ts");
  const answer = await exchange(
    Number(port),
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).not.toContain("not yours");
});

test("where nothing is built the page says how to build it", async () => {
  const url = await start({ files: await readStudioFiles(join(folder, "nowhere")) });
  const { body, headers } = await ask(`${url}/`);
  expect(body.toString()).toContain("npm run build:web");
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
});
