/** Documents that anybody may have, such as public keys: from where, for how long, and by which methods. */
import { afterEach, describe, expect, test } from "vitest";
import { startEchoGateway, type EchoGateway } from "../echo-gateway.ts";
import { httpVersions } from "../rest/ask.ts";

let echo: EchoGateway;
afterEach(() => echo.close());

const path = "/.well-known/jwks.json";
const withKeys = (keys: () => object) =>
  startEchoGateway({ documents: { [path]: () => ({ body: keys(), maxAgeSeconds: 300 }) } });

describe.each(httpVersions)("over %s", (_, ask) => {
  test("a document is JSON with a time to keep it, and is asked for anew each time", async () => {
    let asked = 0;
    echo = await withKeys(() => ({ keys: [++asked] }));
    const answer = await ask(echo.port, { path });
    expect(answer).toMatchObject({ status: 200, json: { keys: [1] } });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["cache-control"]).toBe("public, max-age=300");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect((await ask(echo.port, { path: `${path}?a=1` })).json).toEqual({ keys: [2] });
  });

  test("HEAD has the headers alone", async () => {
    echo = await withKeys(() => ({ keys: [] }));
    const answer = await ask(echo.port, { method: "HEAD", path });
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.headers["content-length"]).toBe("12");
  });

  test("pages of every origin may read it, and no cache tells them apart", async () => {
    echo = await withKeys(() => ({ keys: [] }));
    for (const origin of ["https://app.example.org", "https://any.example", undefined]) {
      const { headers } = await ask(echo.port, {
        path,
        ...(origin !== undefined && { headers: { origin } }),
      });
      expect(headers["access-control-allow-origin"]).toBe("*");
      expect(headers["vary"]).toBeUndefined();
    }
    const preflight = await ask(echo.port, {
      method: "OPTIONS",
      path,
      headers: { origin: "https://any.example", "access-control-request-method": "GET" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe("*");
    expect(preflight.headers["access-control-allow-methods"]).toBe("GET, HEAD");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is 405", async (method) => {
    echo = await withKeys(() => ({ keys: [] }));
    const answer = await ask(echo.port, { method, path });
    expect(answer).toMatchObject({ status: 405, json: { statusCode: 405 } });
    expect(answer.headers["allow"]).toBe("GET, HEAD");
  });

  test("one that cannot be made is 500 without the reason, not to be kept, and the server goes on", async () => {
    echo = await withKeys(() => {
      throw new Error("a secret");
    });
    const answer = await ask(echo.port, { path });
    expect(answer.status).toBe(500);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.text).not.toContain("secret");
    expect((await ask(echo.port, { path: "/health" })).status).toBe(200);
  });
});

test.each(["no-slash", "/with space", "/query?"])("%j is no path for a document", async (bad) => {
  await expect(
    startEchoGateway({ documents: { [bad]: () => ({ body: {}, maxAgeSeconds: 1 }) } }),
  ).rejects.toThrow("is no path for a document");
  echo = await startEchoGateway();
});
