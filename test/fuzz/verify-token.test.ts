import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { TokenError } from "../../src/token/token-error.ts";
import { createRandom } from "../chaos/random.ts";
import { signParts } from "../token/make-token.ts";
import { makeHostileToken, ownPublicKey, world } from "./hostile-token.ts";
import { randomBytesOf } from "./random-bytes.ts";
import { fuzz, verify } from "./verify-token.ts";
import type { Verify } from "./verify-token.ts";

const seed = 20261126;

/** What is found among so many tokens. */
async function findings(verifier: Verify, count: number): Promise<Set<string>> {
  const random = createRandom(seed);
  const found = new Set<string>();
  for (let token = 0; token < count; token++) {
    await fuzz(randomBytesOf(random), verifier).catch((error: unknown) => {
      found.add(String(error).split(": ")[1] ?? "");
    });
  }
  return found;
}

test("nothing is found among thousands of tokens, and good ones are among them", async () => {
  let accepted = 0;
  const counting: Verify = (token) => {
    verify(token);
    accepted += 1;
  };
  expect(await findings(counting, 6000)).toEqual(new Set());
  expect(accepted).toBeGreaterThan(200);
});

test("most kinds of tokens are made", () => {
  const random = createRandom(seed);
  const kinds = new Set<string | undefined>();
  for (let token = 0; token < 3000; token++) kinds.add(makeHostileToken(randomBytesOf(random)).forbidden);
  for (const kind of ["crit", "jwk", "typ", "kid", "exp", "iss", "aud", "jti", "duplicate member", undefined])
    expect(kinds).toContain(kind);
});

/** Verifiers with a fault that is known from others'. */
const faulty: Readonly<Record<string, Verify>> = {
  "takes a token without a signature": (token) => {
    if (!/^[\w-]+\.[\w-]+\.$/.test(token)) verify(token);
  },
  "takes every spelling of a signature": (token) => {
    const [head = "", claims = "", signature = ""] = token.split(".");
    verify([head, claims, Buffer.from(signature, "base64url").toString("base64url")].join("."));
  },
  "does not mind members that come twice": (token) => {
    const [head = "", claims = "", signature = ""] = token.split(".");
    const isSigned = token === signParts(head, claims, world.secret) && signature !== "";
    verify(isSigned ? signParts(lastMembers(head), lastMembers(claims), world.secret) : token);
  },
  "takes a public key for a secret": (token) => {
    const [head = "", claims = "", signature = ""] = token.split(".");
    const pem = ownPublicKey.export({ type: "spki", format: "pem" });
    const forged = createHmac("sha256", pem).update(`${head}.${claims}`).digest("base64url");
    if (forged !== signature) verify(token);
  },
  "takes an empty secret": (token) => {
    const [head = "", claims = "", signature = ""] = token.split(".");
    const forged = createHmac("sha256", "").update(`${head}.${claims}`).digest("base64url");
    if (forged !== signature) verify(token);
  },
  "does not look at the header": (token) => {
    const [head = "", claims = "", signature = ""] = token.split(".");
    const isSigned = token === signParts(head, claims, world.secret) && signature !== "";
    verify(isSigned ? signParts(plainHead, claims, world.secret) : token);
  },
  "does not look at the issuer": (token) => {
    acceptIf(token, (error) => error.code === "issuer");
  },
  "does not look at the audience": (token) => {
    acceptIf(token, (error) => error.code === "audience");
  },
  "does not look at the times": (token) => {
    acceptIf(token, (error) => ["expired", "not-yet-valid", "lifetime"].includes(error.code));
  },
  "fails at what it does not know": (token) => {
    if (token.includes("..")) throw new TypeError("parts are missing");
    verify(token);
  },
};
const plainHead = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");

function lastMembers(part: string): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return Buffer.from(JSON.stringify(value)).toString("base64url");
  } catch {
    return part;
  }
}

function acceptIf(token: string, isOverlooked: (error: TokenError) => boolean): void {
  try {
    verify(token);
  } catch (error) {
    if (!(error instanceof TokenError) || !isOverlooked(error)) throw error;
  }
}

describe("a verifier is found out that", () => {
  test.each(Object.keys(faulty))("%s", async (name) => {
    expect((await findings(faulty[name]!, 4000)).size).toBeGreaterThan(0);
  });
});
