/**
 * Makes a token from bytes: begins with a good one and changes what it says, how it says it, or its text, and signs it again or
 * not. Knows of each whether anybody may accept it: only who signed it with a good key, and said nothing that is forbidden.
 */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readEdDsaKeys } from "../../src/token/keys/eddsa-keys.ts";
import type { JwtSettings } from "../../src/token/keys/jwt-settings.ts";
import { now, settings, transcriptionClaims, userClaims } from "../token/make-token.ts";
import { ByteReader } from "./byte-reader.ts";

const ownKey = generateKeyPairSync("ed25519");
const otherKey = generateKeyPairSync("ed25519");
const eddsa = readEdDsaKeys(
  { path: "own.pem", pem: ownKey.privateKey.export({ type: "pkcs8", format: "pem" }).toString() },
  [],
);
export const world: JwtSettings = {
  ...settings,
  previousSecret: "the-secret-before-this-one-in-32-bytes",
  eddsa,
};
export const ownPublicKey = ownKey.publicKey;

export interface HostileToken {
  readonly token: string;
  /** Whether it bears the signature of a good key over just these bytes. */
  readonly isSigned: boolean;
  /** Why nobody may accept it, whoever signed it. */
  readonly forbidden?: string;
}

type Json = Record<string, unknown>;

export function makeHostileToken(data: Uint8Array): HostileToken {
  const choose = new ByteReader(data);
  const head: Json = { alg: "HS256", typ: "JWT" };
  const claims: Json = { ...choose.pick([transcriptionClaims, userClaims]) };
  const forbidden: string[] = [];
  const changes: Forbidden[] = [];
  for (let change = choose.below(4); change > 0; change--) changeJson(choose, head, claims, changes);
  // A later change may have taken an earlier one back.
  for (const { object, name, value } of changes) if (object[name] === value) forbidden.push(name);
  let [headText, claimsText] = [JSON.stringify(head), JSON.stringify(claims)];
  if (choose.below(3) === 0) {
    const changed = changeText(choose, choose.pick([headText, claimsText]), forbidden);
    if (choose.below(2) === 0) claimsText = changed;
    else headText = changed;
  }
  const input = `${encode(headText)}.${encode(claimsText)}`;
  const signed = signWith(choose, input, head);
  const token = choose.below(2) === 0 ? signed.token : changeToken(choose, signed.token);
  const isSame = token === signed.token;
  return {
    token,
    isSigned: isSame && signed.isGood,
    ...(isSame && forbidden.length > 0 && { forbidden: forbidden.join(", ") }),
  };
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

interface Forbidden {
  readonly object: Json;
  readonly name: string;
  /** Undefined: it is not there. */
  readonly value: unknown;
}

const required = ["iss", "aud", "exp", "sub", "userId", "roomName", "participantIdentity", "jti"];

/** What a token may not say, or may: the times are at the edges of what is allowed. */
function changeJson(choose: ByteReader, head: Json, claims: Json, changes: Forbidden[]): void {
  const forbid = (object: Json, name: string, value: unknown) => {
    object[name] = value;
    changes.push({ object, name, value });
  };
  const edge = choose.pick([-1, 0, 1, 0.5, -0.5]);
  switch (choose.below(16)) {
    case 0:
      head["alg"] = choose.pick(["none", "None", "HS384", "RS256", "EdDSA", "", null, ["HS256"], "HS256 "]);
      return;
    case 1: {
      forbid(
        head,
        choose.pick(["crit", "b64", "jwk", "jku", "x5u", "x5c"]),
        choose.pick([[], "x", null, false]),
      );
      return;
    }
    case 2: {
      forbid(head, "typ", choose.pick(["at+jwt", "refresh+jwt", "JWE", null, ["JWT"], 1]));
      return;
    }
    case 3: {
      forbid(
        head,
        "kid",
        choose.pick(["../../dev/null", "x' OR 1=1 --", "", 1, null, { a: 1 }, "k".repeat(300)]),
      );
      return;
    }
    case 4:
      head["kid"] = choose.pick([eddsa.signing.kid, "2026-11", "another"]);
      return;
    case 5:
      claims["exp"] = now - 10 + edge;
      return;
    case 6:
      claims["nbf"] = now + 10 + edge;
      return;
    case 7:
      claims["iat"] = now + 10 + edge;
      return;
    case 8:
      claims["exp"] = now + 24 * 3600 + edge;
      return;
    case 9: {
      forbid(claims, "exp", choose.pick([1e308, -1, "9999999999", null, true, [now + 60], 253_402_300_800]));
      return;
    }
    case 10: {
      forbid(claims, choose.pick(["iat", "nbf"]), choose.pick(["0", null, -1, 1e300, {}]));
      return;
    }
    case 11: {
      forbid(
        claims,
        "iss",
        choose.pick(["Interview-Backend", "interview-backend/", null, [settings.issuer], ""]),
      );
      return;
    }
    case 12: {
      forbid(
        claims,
        "aud",
        choose.pick([["parley"], "jitsi", null, "", [settings.audience], "parley-refresh"]),
      );
      return;
    }
    case 13: {
      const name = choose.pick(required.filter((key) => key in claims));
      Reflect.deleteProperty(claims, name);
      changes.push({ object: claims, name, value: undefined });
      return;
    }
    case 14:
      claims[choose.pick(["extra", "name", "email", "constructor"])] = choose.text(20);
      return;
    default:
      claims[choose.pick(["fam", "note"])] = choose.pick([
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "x",
        1,
        null,
      ]);
  }
}

/** JSON that two readers may read in two ways, or one and not the other. */
function changeText(choose: ByteReader, text: string, forbidden: string[]): string {
  const [, name = "x"] = /^\{"([^"]+)"/.exec(text) ?? [];
  switch (choose.below(7)) {
    case 0:
      forbidden.push("duplicate member");
      return `{"${name}":1,${text.slice(1)}`;
    case 1:
      forbidden.push("duplicate member, escaped");
      return `${text.slice(0, -1)},"\\u00${name.charCodeAt(0).toString(16).padStart(2, "0")}${name.slice(1)}":"x"}`;
    case 2:
      forbidden.push("byte order mark");
      return `\ufeff${text}`;
    case 3:
      forbidden.push("an array");
      return `[${text}]`;
    case 4:
      forbidden.push("something after it");
      return `${text}${choose.pick(["}", ",", "\0", "{}"])}`;
    case 5:
      return ` ${text.replace(",", " ,\n")} `;
    default: {
      // What is forbidden might be forbidden no more: then it is not touched.
      if (forbidden.length > 0) return text;
      const at = choose.below(text.length);
      return text.slice(0, at) + choose.text(3) + text.slice(at + choose.below(3));
    }
  }
}

function signWith(choose: ByteReader, input: string, head: Json): { token: string; isGood: boolean } {
  const hmac = (key: string | Buffer) => createHmac("sha256", key).update(input).digest("base64url");
  const isHmac = head["alg"] === "HS256";
  const isEdDsa = head["alg"] === "EdDSA" && (head["kid"] === undefined || head["kid"] === eddsa.signing.kid);
  switch (choose.below(8)) {
    case 0:
      return { token: `${input}.`, isGood: false };
    case 1:
      return { token: `${input}.${hmac("")}`, isGood: false };
    case 2: {
      const pem = createPublicKey(ownKey.privateKey).export({ type: "spki", format: "pem" });
      return { token: `${input}.${hmac(pem)}`, isGood: false };
    }
    case 3:
      return {
        token: `${input}.${sign(null, Buffer.from(input), otherKey.privateKey).toString("base64url")}`,
        isGood: false,
      };
    case 4:
      return {
        token: `${input}.${sign(null, Buffer.from(input), ownKey.privateKey).toString("base64url")}`,
        isGood: isEdDsa,
      };
    case 5:
      return { token: `${input}.${hmac(world.previousSecret ?? "")}`, isGood: isHmac };
    default:
      return { token: `${input}.${hmac(world.secret)}`, isGood: isHmac };
  }
}

/** The same bytes in another spelling, other bytes, or another number of parts. */
function changeToken(choose: ByteReader, token: string): string {
  const at = choose.below(token.length + 1);
  switch (choose.below(7)) {
    case 0:
      return `${token}${choose.pick(["=", "==", "\n", " ", ".", "A", "\0"])}`;
    case 1:
      return nextSpelling(token);
    case 2:
      return token.slice(0, at) + choose.pick(["A", "-", "_", ".", "=", "+", "/", "é"]) + token.slice(at + 1);
    case 3:
      return token.slice(0, at);
    case 4:
      return token.slice(0, at) + choose.text(4) + token.slice(at);
    case 5:
      return token.split(".").reverse().join(".");
    default:
      return choose.pick(["", "..", "...", ".".repeat(9000), token.repeat(40), `${token}.${token}`]);
  }
}

/** The last character holds bits that belong to no byte: with them set it is the same signature, spelt in another way. */
function nextSpelling(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const next = alphabet[(alphabet.indexOf(token.slice(-1)) + 1) % alphabet.length] ?? "A";
  return token.slice(0, -1) + next;
}
