/** SaveUserModule and ListUserModules as their user sees them, on both databases. */
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Storage } from "../../../../src/storage/open-storage.ts";
import { forEachDatabase } from "../../../storage/databases.ts";
import { startInMemoryServer } from "../token/in-memory-server.ts";
import type { InMemoryServer } from "../token/in-memory-server.ts";

forEachDatabase((_, open) => {
  let storage: Storage;
  let server: InMemoryServer;
  beforeAll(async () => {
    storage = await open();
    server = await startInMemoryServer({ storage });
  });
  afterAll(async () => {
    await server.close();
    await storage.close();
  });
  const as = (userId: string) => server.client(AnalysisService, server.user(userId));
  const codeOf = async (call: Promise<unknown>) =>
    Code[
      ConnectError.from(
        await call.then(
          () => expect.unreachable(),
          (error: unknown) => error,
        ),
      ).code
    ];

  test("a document comes back to its user as it was saved last, and to nobody else", async () => {
    const document = { level: 2, words: ["um", null], nested: { done: true } };
    await as("ada").saveUserModule({ moduleName: "grammar", document: { level: 1 } });
    const { module } = await as("ada").saveUserModule({ moduleName: "grammar", document, userId: "ada" });
    expect(module).toMatchObject({ moduleName: "grammar", document });
    await as("ada").saveUserModule({ moduleName: "accent", document: {} });
    const { modules } = await as("ada").listUserModules({});
    expect(modules.map(({ moduleName, document: stored }) => [moduleName, stored])).toEqual([
      ["accent", {}],
      ["grammar", document],
    ]);
    expect((await as("bob").listUserModules({})).modules).toEqual([]);
    expect(await codeOf(as("bob").listUserModules({ userId: "ada" }))).toBe("PermissionDenied");
    expect(await codeOf(as("bob").saveUserModule({ moduleName: "m", document: {}, userId: "ada" }))).toBe(
      "PermissionDenied",
    );
  });

  test("a document that is too large, or none, is refused", async () => {
    const large = { text: "x".repeat(256 * 1024) };
    expect(await codeOf(as("ada").saveUserModule({ moduleName: "m", document: large }))).toBe(
      "InvalidArgument",
    );
    expect(await codeOf(as("ada").saveUserModule({ moduleName: "m" }))).toBe("InvalidArgument");
  });

  test("two hundred are kept, however many come at once, and those can still be changed", async () => {
    const save = (name: number) => as("max").saveUserModule({ moduleName: `m-${name}`, document: { name } });
    for (let name = 0; name < 195; name++) await save(name);
    const results = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => save(195 + at)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect(await codeOf(save(999))).toBe("ResourceExhausted");
    await save(7);
    expect((await as("max").listUserModules({})).modules).toHaveLength(200);
  });
});
