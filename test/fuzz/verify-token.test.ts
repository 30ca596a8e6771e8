/** A short run of the fuzz target, the same each time; and that it finds the faults which others' verifiers have had. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { verifyOwnToken } from "../../src/token/credentials/verify-credential.ts";
import type { ParticipantCaller, UserCaller } from "../../src/token/caller.ts";
import { issueTranscriptionToken } from "../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { TokenError } from "../../src/token/token-error.ts";
import { createRandom } from "../chaos/random.ts";
import { nowSeconds, publicKeys, secrets, settings } from "./fuzz-keys.ts";
import { makeHostileToken } from "./hostile-token.ts";
import { judgeToken } from "./judge-token.ts";
import { randomBytesOf } from "./random-bytes.ts";
import { runInWorker } from "./run-in-worker.ts";
import { Finding, fuzz, verify } from "./verify-token.ts";
import type { Verify } from "./verify-token.ts";

const seed = 20_261_126;

/** What is found first, among so many tokens at most. */
async function firstFinding(verifier: Verify, count: number): Promise<string | undefined> {
  const random = createRandom(seed);
  for (let token = 0; token < count; token++) {
    try {
      await fuzz(randomBytesOf(random), verifier);
    } catch (error) {
      if (error instanceof Finding) return error.problem;
      throw error;
    }
  }
  return undefined;
}

test("nothing is found among thousands of tokens, of which many are good and the others bad for every reason", async () => {
  const outcomes = new Map<string, number>();
  const counting: Verify = (token) => {
    const outcome = outcomeOf(token);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    return verify(token);
  };
  expect(await firstFinding(counting, 8000)).toBeUndefined();
  expect(outcomes.get("ok")).toBeGreaterThan(500);
  const reasons = ["algorithm", "audience", "claim", "expired", "issuer", "lifetime", "malformed"];
  expect([...outcomes.keys()].sort()).toEqual([...reasons, "not-yet-valid", "ok", "signature"]);
});

function outcomeOf(token: string): string {
  try {
    verify(token);
    return "ok";
  } catch (error) {
    return error instanceof TokenError ? error.code : "another error";
  }
}

test("the same bytes make the same token, and a good part of them one that a good key signed", () => {
  const random = createRandom(seed);
  const made = Array.from({ length: 1000 }, () => {
    const data = randomBytesOf(random);
    expect(makeHostileToken(data)).toEqual(makeHostileToken(data));
    return makeHostileToken(data);
  });
  expect(made.filter(({ isSigned }) => isSigned).length).toBeGreaterThan(200);
  expect(new Set(made.map(({ token }) => token)).size).toBeGreaterThan(800);
});

test("the judge accepts what Parley makes, with each key", async () => {
  const request = { userId: "ada", roomName: "r", participantIdentity: "ada", userType: "viewer" as const };
  const nowMs = nowSeconds * 1000;
  const { eddsa: _, ...hs256 } = settings;
  for (const by of [settings, hs256]) {
    const { token } = issueTranscriptionToken({ ...request, familyId: "f", ttlSeconds: 60 }, by, nowMs);
    expect(await judgeToken(token)).toMatchObject({ caller: { ...request, familyId: "f" } });
  }
  const { token } = issueUserToken({ userId: "ada", ttlSeconds: 60 }, settings, nowMs);
  expect(await judgeToken(token)).toMatchObject({ caller: { kind: "user", userId: "ada" } });
});

/** Reads a token anew from what a lenient reader makes of its parts, if its signature is good. Only for HS256. */
function lenient(read: (part: Buffer, index: number) => string | Buffer): Verify {
  return (token) => {
    const [head = "", claims = "", signature = ""] = token.split(".");
    const sign = (secret: string, input: string) =>
      createHmac("sha256", secret).update(input).digest("base64url");
    const secret = secrets.find((secret) => sign(secret, `${head}.${claims}`) === signature);
    if (secret === undefined || token.split(".").length !== 3) return verify(token);
    const parts = [head, claims].map((part, index) => read(Buffer.from(part, "base64url"), index));
    const input = parts.map((part) => Buffer.from(part as string).toString("base64url")).join(".");
    return verify(`${input}.${sign(secret, input)}`);
  };
}

/** Takes the token for good all the same. */
function overlooking(isOverlooked: (error: TokenError) => boolean): Verify {
  return (token) => {
    try {
      return verify(token);
    } catch (error) {
      if (error instanceof TokenError && isOverlooked(error)) return undefined;
      throw error;
    }
  };
}

function forgedWith(secret: string): Verify {
  return (token) => {
    const end = token.lastIndexOf(".");
    const forged = createHmac("sha256", secret).update(token.slice(0, end)).digest("base64url");
    return forged === token.slice(end + 1) ? undefined : verify(token);
  };
}

function parsed(bytes: Buffer): string | Buffer {
  try {
    return JSON.stringify(JSON.parse(bytes.toString()));
  } catch {
    return bytes;
  }
}

const plainHeader = '{"alg":"HS256","typ":"JWT"}';
const [pem] = Array.from(publicKeys.values(), (key) =>
  key.export({ type: "spki", format: "pem" }).toString(),
);

const faulty: Readonly<Record<string, Verify>> = {
  "takes a token without a signature": (token) =>
    /^[\w-]+\.[\w-]+\.$/.test(token) ? undefined : verify(token),
  "takes the beginning of a signature": (token) => {
    const end = token.lastIndexOf(".");
    const full = createHmac("sha256", settings.secret).update(token.slice(0, end)).digest("base64url");
    return end >= 0 && token.length > end + 10 && full.startsWith(token.slice(end + 1, -1))
      ? undefined
      : verify(token);
  },
  "takes every spelling of a signature": (token) => {
    const [head = "", claims = "", signature = "", ...more] = token.split(".");
    return verify(
      [head, claims, Buffer.from(signature, "base64url").toString("base64url"), ...more].join("."),
    );
  },
  "takes every spelling of the other parts": lenient((part) => part),
  "takes white space around a token": (token) => verify(token.trim()),
  "takes what comes after the third part": (token) => verify(token.split(".").slice(0, 3).join(".")),
  "takes the last of two members": lenient(parsed),
  "takes bytes that are no text": lenient((part) => part.toString()),
  "takes a byte order mark": lenient((part) => part.toString().replace(/^\ufeff/, "")),
  "takes a public key for a secret": forgedWith(pem ?? ""),
  "takes an empty secret": forgedWith(""),
  "does not look at the header": lenient((part, index) => (index === 0 ? plainHeader : part)),
  "does not look at extensions": lenient((part) => part.toString().replaceAll(/"(crit|b64)"/g, '"x$1"')),
  "does not look at typ": lenient((part, index) =>
    index === 0 ? part.toString().replace('"typ"', '"x"') : part,
  ),
  "does not look at the issuer": overlooking(({ code }) => code === "issuer"),
  "does not look at the audience": overlooking(({ code }) => code === "audience"),
  "does not look at exp": overlooking(({ code }) => code === "expired"),
  "does not look at nbf and iat": overlooking(({ code }) => code === "not-yet-valid"),
  "does not look at the lifetime": overlooking(({ code }) => code === "lifetime"),
  "does not look at names": overlooking(({ message }) => message.endsWith("is not a name")),
  "takes a list for an audience": lenient((part) =>
    part.toString().replace(/"aud":\["(parley)","x"\]/, '"aud":"$1"'),
  ),
  "tolerates a second more": (token) => {
    try {
      return verify(token);
    } catch (error) {
      if (!(error instanceof TokenError) || error.code !== "expired") throw error;
      return verifyOwnToken(token, settings, (nowSeconds - 1) * 1000);
    }
  },
  "tolerates a second less": (token) => {
    verifyOwnToken(token, settings, (nowSeconds + 1) * 1000);
    return verify(token);
  },
  "does not know the previous secret": (token) => {
    const { previousSecret: _, ...rest } = settings;
    return verifyOwnToken(token, rest, nowSeconds * 1000);
  },
  "takes one person for another": (token) => {
    const caller = verify(token) as ParticipantCaller | UserCaller;
    return caller.kind === "participant" ? { ...caller, userId: caller.participantIdentity } : caller;
  },
  "fails at what it does not know": (token) => {
    if (token.includes("..")) throw new TypeError("parts are missing");
    return verify(token);
  },
  "looks at all of a token for each of its dots": (token) => {
    for (let at = 0; at < token.length; at++) if (token[at] === ".") token.lastIndexOf("#", token.length);
    return verify(token);
  },
};

describe("a verifier is found out that", () => {
  test.each(Object.keys(faulty))("%s", async (name) => {
    expect(await firstFinding(faulty[name]!, 30_000)).toBeDefined();
  });
});

describe("a run in a thread of its own", () => {
  test("counts, finds nothing, and ends in time", async () => {
    const { count, findings } = await runInWorker({ kind: "random", seed, seconds: 1 }, { hangMs: 60_000 });
    expect(findings).toEqual([]);
    expect(count).toBeGreaterThan(10);
  });

  test("is ended when it comes no further, and says with which bytes", async () => {
    const program = new URL("./hanging-worker.ts", import.meta.url);
    const hung = await runInWorker({ kind: "data", data: Uint8Array.of(1) }, { hangMs: 1000, program });
    expect(hung).toEqual({
      count: 1,
      findings: [{ problem: "Finding: no end within 1000 ms", data: Uint8Array.of(2, 3) }],
    });
  });
});
