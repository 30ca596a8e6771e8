/** Changes what a token says, as text of JSON: what it may not say, at the edges of what it may, and in two ways at once. */
import type { ByteReader } from "./byte-reader.ts";
import { nowSeconds, settings } from "./fuzz-keys.ts";
import { sampleTokens } from "./sample-tokens.ts";
import type { Member, SampleToken } from "./sample-tokens.ts";

export type DraftMembers = Member[];

const times = [-86_410, -3600, -11, -10, -9, -1, 0, 1, 9, 10, 11, 7200, 86_399, 86_400, 86_401, 1e6];
const oddNumbers = [
  ...["0", "-0", "-1", "0.5", "1e3", "1E400", "-1e400", "1e308", "9007199254740993", "253402300799"],
  ...["253402300800", "1".repeat(310), `0.${"0".repeat(400)}1`, `${nowSeconds}.999`, `${nowSeconds + 60}e0`],
];
const oddStrings = [
  ...[
    '""',
    '"\\u0000"',
    '"a\\u0000"',
    '"__proto__"',
    '"constructor"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"é"',
  ],
  ...['"a\\u202eb"', '"\\u00ad"', '"\\ufdd0"', '"\\ue000"', '" "', '"a\\nb"', '"\\/"', '"../../etc/passwd"'],
  ...[256, 257].flatMap((length) => [`"${"x".repeat(length)}"`, `"${"\u{1F600}".repeat(length)}"`]),
];
const otherKinds = [
  "null",
  "true",
  "[]",
  "{}",
  '["x"]',
  '{"a":{"a":1}}',
  ...[62, 63, 64].map((depth) => "[".repeat(depth) + "]".repeat(depth)),
];
const algorithms = [
  "HS256",
  "none",
  "None",
  "hs256",
  "HS384",
  "HS512",
  "RS256",
  "ES256",
  "EdDSA",
  "Ed25519",
  "",
];
const types = ["JWT", "jwt", "Jwt", "at+jwt", "application/jwt", "refresh+jwt", "JWE", "JWT ", ""];
const kids = [
  "x",
  "../x",
  "x..y",
  "/dev/null",
  "a b",
  "' or 1=1 --",
  "k".repeat(256),
  "k".repeat(257),
  "__proto__",
];
const quoted = (texts: readonly string[]) => texts.map((text) => JSON.stringify(text));

const headerValues: Readonly<Record<string, readonly string[]>> = {
  alg: [...quoted(algorithms), '["HS256"]', "null"],
  typ: [...quoted(types), '["JWT"]', "null", "1"],
  kid: [...quoted(kids), ...(settings.eddsa?.published ?? []).map(({ kid = "" }) => `"${kid}"`), "null", "1"],
  crit: ["[]", '["exp"]', '["b64"]', "null"],
  b64: ["true", "false"],
  jwk: ['{"kty":"oct","k":""}', "null"],
  jku: ['"http://127.0.0.1:9/"'],
  x5u: ['"http://127.0.0.1:9/"'],
  x5c: ["[]"],
  cty: ['"JWT"'],
  zip: ['"DEF"'],
  enc: ['"A256GCM"'],
};
const claimValues: Readonly<Record<string, readonly string[]>> = {
  iss: [...quoted([settings.issuer, settings.issuer.toUpperCase(), `${settings.issuer}/`, "devkey"]), "null"],
  aud: [
    ...quoted([settings.audience, "parley", "parley-refresh", "jitsi", ""]),
    ...[`["${settings.audience}"]`, '["parley","x"]', "[]"],
  ],
  userType: quoted(["HOST", "PRESENTER", "GUEST", "VIEWER", "host", "ADMIN", ""]),
};
const timeNames = ["exp", "nbf", "iat"];
const names = ["userId", "roomName", "participantIdentity", "jti", "fam", "sub", "name", "email"];

/** Changes one of the two, or both. */
export function changeMembers(choose: ByteReader, header: DraftMembers, claims: DraftMembers): void {
  const isHeader = choose.below(4) === 0;
  const members = isHeader ? header : claims;
  switch (choose.below(8)) {
    case 0:
    case 1:
    case 2:
      put(choose, members, isHeader ? headerMember(choose) : claim(choose));
      break;
    case 3:
      members.splice(choose.below(members.length), 1);
      break;
    case 4:
      comesTwice(choose, members);
      break;
    case 5:
      put(choose, members, memberOf(choose, choose.pick(sampleTokens)));
      break;
    case 6: {
      const moved = members.splice(choose.below(members.length), 1);
      members.splice(choose.below(members.length + 1), 0, ...moved);
      break;
    }
    default: {
      const before = [...header];
      header.splice(0, header.length, ...claims);
      claims.splice(0, claims.length, ...before);
    }
  }
}

function headerMember(choose: ByteReader): Member {
  const name = choose.pick(Object.keys(headerValues));
  return [JSON.stringify(name), choose.pick(headerValues[name] ?? [])];
}

function claim(choose: ByteReader): Member {
  const kind = choose.below(6);
  if (kind === 0) {
    const name = choose.pick(Object.keys(claimValues));
    return [JSON.stringify(name), choose.pick(claimValues[name] ?? [])];
  }
  if (kind <= 2) return [JSON.stringify(choose.pick(timeNames)), time(choose)];
  const name = choose.pick([...names, ...timeNames, "__proto__", "constructor", "toString", "Exp"]);
  return [
    JSON.stringify(name),
    choose.pick([oddStrings, oddStrings, oddNumbers, otherKinds][choose.below(4)] ?? []),
  ];
}

function time(choose: ByteReader): string {
  const value = nowSeconds + choose.pick(times);
  return choose.pick([String(value), `${value}.5`, `"${value}"`, choose.pick(oddNumbers)]);
}

function memberOf(choose: ByteReader, sample: SampleToken): Member {
  return choose.pick([...sample.header, ...sample.claims]);
}

/** In place of the member of that name, or as one more. */
function put(choose: ByteReader, members: DraftMembers, member: Member): void {
  const at = members.findIndex(([name]) => name === member[0]);
  if (at < 0) members.splice(choose.below(members.length + 1), 0, member);
  else members[at] = member;
}

/** With the same value or another one, and its name spelt the same or with an escape. */
function comesTwice(choose: ByteReader, members: DraftMembers): void {
  const [name = '"exp"', value = "1"] = members[choose.below(members.length)] ?? [];
  const escape = `\\u${name.charCodeAt(1).toString(16).padStart(4, "0")}`;
  const spelt = choose.below(2) === 0 ? name : `"${escape}${name.slice(2)}`;
  const again = choose.below(2) === 0 ? value : choose.pick([...oddNumbers, ...oddStrings]);
  members.splice(choose.below(members.length + 1), 0, [spelt, again]);
}
