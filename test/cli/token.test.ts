/** `parley token jitsi|sfu|livekit|inspect`, against a server and without one, as a user types them. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import type { Server } from "../../src/main.ts";
import { header, makeToken } from "../token/make-token.ts";
import { parley as run } from "./parley.ts";
import type { RunOptions } from "./parley.ts";
import { scratchFolder } from "./scratch-folder.ts";

const livekitSecret = "a-livekit-secret-of-32-bytes-at-least";
const jitsiSecret = "a-jitsi-secret-of-32-bytes-at-least!";
const targets = {
  LIVEKIT_URL: "ws://localhost:7880",
  LIVEKIT_API_KEY: "devkey",
  LIVEKIT_API_SECRET: livekitSecret,
  JITSI_DOMAIN: "meet.example.com",
  JITSI_APP_ID: "app",
  JITSI_APP_SECRET: jitsiSecret,
  SFU_URL: "wss://sfu.example.com",
  SFU_JWT_SECRET: "an-sfu-secret-of-32-bytes-at-least!!",
};
const dataDir = scratchFolder();
/** No server answers there, and none ever has. */
const offline = { DATA_DIR: join(scratchFolder(), "none"), PORT: "1" };

let server: Server;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startServer(readConfig({ DATA_DIR: dataDir, HOST: "127.0.0.1", PORT: "0", ...targets }), {
    log: pino({ level: "silent" }),
    throwAway: true,
  });
  server.engineReady.catch(() => undefined); // nobody speaks here
  env = { DATA_DIR: dataDir, PORT: new URL(server.url).port };
});
afterAll(() => server.stop(0));

const parley = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { ...options, env: { ...env, ...options.env } });

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
}

const now = Math.floor(Date.now() / 1000);
const liveKitClaims = {
  iss: "devkey",
  sub: "ad\u001b[31ma",
  nbf: now - 300,
  exp: now - 200,
  video: { roomJoin: true, room: "talk", roomAdmin: true },
};
const liveKitToken = makeToken(liveKitClaims, header, livekitSecret);
const signature = liveKitToken.split(".")[2] ?? "";

describe("tokens are made", () => {
  test("for LiveKit, with the grants that are asked for", async () => {
    const { stdout } = await parley(
      ["token", "livekit", "--identity", "bob", "--room", "talk", "--name", "Bob", "--ttl", "60"].concat(
        ["--grant", "roomAdmin,canUpdateOwnMetadata", "--deny", "canPublishData", "--sources", "camera"],
        ["--attribute", "a=b=c", "--attribute", "d=", "--metadata", "m"],
      ),
    );
    const { nbf, exp, ...claims } = payloadOf(stdout);
    expect(Number(exp) - Number(nbf)).toBe(60);
    expect(claims).toEqual({
      iss: "devkey",
      sub: "bob",
      name: "Bob",
      metadata: "m",
      attributes: { a: "b=c", d: "" },
      video: {
        roomJoin: true,
        room: "talk",
        roomAdmin: true,
        canPublish: true,
        canSubscribe: true,
        canPublishData: false,
        canUpdateOwnMetadata: true,
        canPublishSources: ["camera"],
      },
    });
  });

  test("for Jitsi, or the meeting with them", async () => {
    const args = ["token", "jitsi", "--room", "My Talk", "--user", "u1", "--name", "Eve", "--moderator"];
    const { stdout } = await parley([
      ...args,
      "--feature",
      "recording",
      "--feature",
      "lobby=false",
      "--meeting",
    ]);
    const url = new URL(stdout.trim());
    expect(url.href).toMatch(/^https:\/\/meet\.example\.com\/My%20Talk\?jwt=/);
    expect(payloadOf(url.searchParams.get("jwt") ?? "")).toMatchObject({
      room: "my%20talk",
      moderator: true,
      context: {
        user: { id: "u1", name: "Eve", moderator: "true" },
        features: { recording: true, lobby: false },
      },
    });
  });

  test("for the SFU", async () => {
    const { stdout } = await parley([
      "token",
      "sfu",
      "--room",
      "talk",
      "--user",
      "u1",
      "--user-type",
      "guest",
    ]);
    expect(payloadOf(stdout)).toMatchObject({ user_id: "u1", room: "talk", user_type: "guest" });
  });

  test.each<[string, string[], RegExp]>([
    [
      "an unknown grant",
      ["livekit", "--identity", "b", "--room", "r", "--grant", "fly"],
      /expected some of canPublish,/,
    ],
    [
      "grants without a room",
      ["livekit", "--identity", "b", "--grant", "roomAdmin"],
      /^--room: needed with --grant/,
    ],
    [
      "a grant that is denied",
      ["livekit", "--identity", "b", "--room", "r", "--grant", "hidden", "--deny", "hidden"],
      /hidden can be in one of them only/,
    ],
    ["every meeting", ["jitsi", "--room", "*"], /^room_name: /],
    [
      "an unknown user type",
      ["sfu", "--room", "r", "--user", "u", "--user-type", "king"],
      /choices are host, presenter/,
    ],
  ])("but not with %s", async (_, args, line) => {
    const refused = await parley(["token", ...args]);
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(line);
  });
});

describe("a token is inspected", () => {
  test("by the server, which says whether it would be let in and why not, in words that no terminal obeys", async () => {
    const { exitCode, stdout, stderr } = await parley(["token", "inspect", liveKitToken]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(
      /^A token for LiveKit\. It would not be let in: exp passed \d+ (s|min) ago; LiveKit allows 60 s\.\n/,
    );
    expect(stdout).toContain(`Judged by the server at http://localhost:${env["PORT"]}.\n`);
    expect(stdout).toMatch(/\n {2}sub +ad\?\[31ma +whom or what it is about\n/);
    expect(stdout).toMatch(/\n {2}video\.roomJoin +true +to join the room\n/);
    expect(stdout).toMatch(/\nDangers\n {2}! it administers: roomAdmin\n$/);
    expect(stdout).not.toContain(signature);
    expect(stdout).not.toContain("\u001b");
  });

  test("from standard input, for a target and a room", async () => {
    const claims = {
      aud: "jitsi",
      iss: "app",
      sub: "meet.example.com",
      room: "talk",
      exp: now + 600,
      moderator: true,
    };
    const token = makeToken(claims, header, jitsiSecret);
    const args = ["token", "inspect", "-", "--target", "jitsi", "--room", "Talk"];
    const { exitCode, stdout } = await withInput(args, `${token}\n`);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^A token for Jitsi\. It would be let in\.\nIts bearer would moderate where Prosody has the plug-in token_moderation\.\n/,
    );
    expect(stdout).toContain("moderator and context.user differ");
  });

  test("by the secrets of this machine where no server answers", async () => {
    const { exitCode, stdout } = await parley(["token", "inspect", liveKitToken], {
      env: { ...targets, ...offline },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^A token for LiveKit\. It would not be let in: exp passed/);
    expect(stdout).toContain(
      "Judged here, with the secrets of this machine; whether it was revoked is not known.\n",
    );
    for (const secret of [livekitSecret, jitsiSecret]) expect(stdout).not.toContain(secret);
  });

  test("without being verified where there is neither, and is told to be so", async () => {
    const { exitCode, stdout } = await parley(
      ["token", "inspect", makeToken(liveKitClaims, { alg: "none" })],
      { env: offline },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^A token for LiveKit, by what it says of itself\.\nNot verified: no server answers/,
    );
    expect(stdout).toContain("! it is not signed: anybody can have written it");
  });

  test.each([
    ["a word", "nonsense"],
    ["half a token", liveKitToken.slice(0, -1 - signature.length)],
    ["a token in four parts", `${liveKitToken}.x`],
    ["a token with a part that is no JSON", "abc.abc.abc"],
  ])("%s is none, which is one line and exit code 2", async (_, text) => {
    const refused = await parley(["token", "inspect", text], { env: offline });
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^that is not a token: [^\n]+\n$/);
    expect(refused.stderr).not.toContain(text.slice(0, 20));
  });

  test("by the server that is named, or by nobody", async () => {
    const args = ["token", "inspect", liveKitToken, "--url", "http://127.0.0.1:1"];
    const refused = await parley(args, { env: targets });
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain("no server answers at http://127.0.0.1:1");
  });
});

/** As a shell does it: `parley ... - < file`. */
async function withInput(
  args: readonly string[],
  input: string,
): Promise<{ exitCode: number | null; stdout: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../src/cli/main.ts"), ...args], {
    env: { ...process.env, NODE_ENV: "", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  return { exitCode: await promise, stdout };
}
