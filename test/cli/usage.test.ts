/** What the command says and answers before it reaches any server. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parley } from "./parley.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { fileOf, wav } from "./wav-file.ts";

const env = { DATA_DIR: join(scratchFolder(), "data"), PORT: "1" };
const audio = fileOf(wav({ data: new Uint8Array(32_000) }));
const keyFile = fileOf("pk_0123456789abcdef_secret\n", "key");

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
    version: string;
  };
  expect(await parley(["--version"])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
});

test("--help lists the commands", async () => {
  const { exitCode, stdout } = await parley(["--help"]);
  expect(exitCode).toBe(0);
  for (const name of ["serve", "transcribe", "sessions", "token", "keys", "doctor"]) {
    expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  }
});

describe("wrong usage ends with exit code 2 and says what is wrong, on stderr", () => {
  test.each<[string, string[], RegExp]>([
    ["an unknown command", ["sing"], /unknown command 'sing'/],
    ["an unknown command of a group", ["keys", "sing"], /unknown command 'sing'/],
    ["an unknown option", ["transcribe", audio, "--loud"], /unknown option '--loud'/],
    ["a missing file", ["transcribe"], /missing required argument 'file'/],
    ["a missing id", ["sessions", "export", "--format", "vtt"], /missing required argument 'session-id'/],
    ["a missing format", ["sessions", "export", "x"], /required option '--format <format>'/],
    ["an unknown format", ["sessions", "export", "x", "--format", "mp3"], /choices are vtt, srt, txt, json/],
    ["a missing name of a key", ["keys", "create", "--scopes", "tokens"], /missing required argument 'name'/],
    ["missing scopes", ["keys", "create", "ci"], /required option '--scopes <list>'/],
    [
      "an unknown scope",
      ["keys", "create", "ci", "--scopes", "tokens,all"],
      /expected some of tokens, rooms/,
    ],
    ["half a day", ["keys", "create", "ci", "--scopes", "tokens", "--days", "0.5"], /whole number of days/],
    ["a lifetime below a minute", ["token", "user", "ada", "--ttl", "59"], /60 to 86400/],
    ["a lifetime that is no number", ["token", "user", "ada", "--ttl", "1h"], /60 to 86400/],
    ["a user without a name", ["token", "user", ""], /expected 1 to 256 characters/],
    ["a token for nobody", ["token", "livekit"], /required option '--identity <name>'/],
    ["a URL that is none", ["keys", "list", "--url", "localhost"], /--url: expected a URL/],
    ["a URL without a host", ["keys", "list", "--url", "http://"], /--url: expected a URL/],
    [
      "a key file that is not there",
      ["keys", "list", "--api-key-file", "/nowhere/k"],
      /\/nowhere\/k cannot be read/,
    ],
    ["a key that is none", ["keys", "list", "--api-key", "two words"], /--api-key: that is not an API key/],
    ["two keys", ["keys", "list", "--api-key", "a", "--api-key-file", keyFile], /cannot be used with/],
    ["no key for another machine", ["keys", "list", "--url", "http://example.invalid"], /needs its API key/],
    [
      "a file that is not audio",
      ["transcribe", fileOf("hello, hello, hello"), "--json"],
      /is not a WAV file/,
    ],
    ["an empty file", ["transcribe", fileOf(""), "--local", "--json"], /is empty/],
  ])("%s", async (_, args, line) => {
    const run = await parley(args, { env });
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toMatch(line);
    expect(run.stderr.trim()).not.toContain("\n");
  });

  test("a group without a command prints its help", async () => {
    const run = await parley(["keys"], { env });
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain("Usage: parley keys");
  });

  test("a wrong configuration is listed by name", async () => {
    const run = await parley(["keys", "list"], { env: { ...env, PORT: "x", LOG_LEVEL: "loud" } });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/LOG_LEVEL: .*\n.*PORT: /);
  });
});

describe("without a server there is one clear line, and exit code 1", () => {
  test("none has ever run here", async () => {
    const run = await parley(["transcribe", audio], { env });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toBe(
      `no server has run with the data folder ${env.DATA_DIR}; start one with "npm start", use --local, or give an API key\n`,
    );
  });

  test("none answers", async () => {
    const run = await parley(["transcribe", audio, "--api-key-file", keyFile], { env });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toBe(
      'no server answers at http://localhost:1; start one with "npm start", or use --local\n',
    );
  });

  test("an address and a key are enough: the configuration of a server here does not matter", async () => {
    const args = ["keys", "list", "--url", "http://127.0.0.1:1", "--api-key-file", keyFile];
    const run = await parley(args, { env: { ...env, PORT: "x", NODE_ENV: "production" } });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("no server answers at http://127.0.0.1:1;");
  });
});

describe("doctor", () => {
  test("prints a line for each finding and ends well when nothing is wrong", async () => {
    const { exitCode, stdout, stderr } = await parley(["doctor"], { env: { ...env, PORT: "0" } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^✓ node {11}Node /m);
    expect(stdout).toMatch(/^✓ database {7}.* will be made at the first start$/m);
  });

  test("ends with exit code 1 when something is wrong", async () => {
    const run = await parley(["doctor"], { env: { ...env, PORT: "x" } });
    expect(run).toMatchObject({ exitCode: 1, stderr: "1 finding is wrong\n" });
    expect(run.stdout).toMatch(/^✗ configuration {2}PORT: /m);
  });
});
