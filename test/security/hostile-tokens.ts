/**
 * The catalogue of bad tokens, by the numbers of their classes: each made from a good token of each kind by what an attacker
 * can do to it. Classes that are more than a text (a flood, a race, two headers) have tests of their own. Long for the number
 * of classes; each stands alone.
 */
import { deflateRawSync } from "node:zlib";
import { hash } from "node:crypto";
import { CompactEncrypt } from "jose";
import type { TokenErrorCode } from "../../src/token/token-error.ts";
import { canary } from "./canary.ts";
import { ecdsa, eddsa, encode, fixed, hmac, pss, rsa, signParts, spkiPem, write } from "./compact-token.ts";
import type { Sign } from "./compact-token.ts";
import type { GoodToken } from "./good-tokens.ts";
import { jwtAudience, livekitApiKey } from "./world.ts";
import type { World } from "./world.ts";

export interface HostileToken {
  readonly name: string;
  readonly token: string;
  /** The reason, where a token of its kind is wanted. */
  readonly why: TokenErrorCode;
  /** Signed as a good one is, in a form that is read: ValidateToken shows what it says. Default false. */
  readonly isGenuine?: boolean;
}

export interface HostileClass {
  readonly number: number;
  readonly title: string;
  make(good: GoodToken, world: World): readonly HostileToken[] | Promise<readonly HostileToken[]>;
}

export const hostileClasses: readonly HostileClass[] = [
  {
    number: 1,
    title: "no algorithm, in whatever spelling",
    make: (good) =>
      ["none", "None", "nOnE", "NONE", "", null, undefined, ["HS256"]].flatMap((alg) => {
        const changed = { ...good, header: { ...good.header, alg } };
        const name = `alg ${alg === undefined ? "absent" : JSON.stringify(alg)}`;
        return [
          { name, token: write({ ...changed, sign: fixed("") }), why: "algorithm" },
          ...(alg === "none"
            ? [{ name: `${name}, signed as before`, token: write(changed), why: "algorithm" as const }]
            : []),
        ] satisfies HostileToken[];
      }),
  },
  {
    number: 2,
    title: "an empty signature, a missing separator",
    make(good) {
      const [header, payload, signature] = partsOf(good);
      return [
        { name: "an empty signature", token: `${header}.${payload}.`, why: "signature" },
        { name: "no signature", token: `${header}.${payload}`, why: "malformed" },
        { name: "no separators", token: `${header}${payload}${signature}`, why: "malformed" },
        { name: "four parts", token: `${header}.${payload}.${signature}.`, why: "malformed" },
        { name: "a part before", token: `.${header}.${payload}.${signature}`, why: "malformed" },
        { name: "an empty header", token: `.${payload}.${signature}`, why: "malformed" },
      ];
    },
  },
  {
    number: 3,
    title: "an edited header, an edited payload",
    make(good) {
      const [header, payload, signature] = partsOf(good);
      const later = { ...good.claims, exp: (good.claims["exp"] as number) + 60 };
      const other = { ...good.claims, sub: "eve", userId: "eve" };
      const longer = { ...good.header, x: 1 };
      return [
        { name: "a header with a member more", token: `${part(longer)}.${payload}.${signature}` },
        { name: "a later end", token: `${header}.${part(later)}.${signature}` },
        { name: "another user", token: `${header}.${part(other)}.${signature}` },
      ].map((token) => ({ ...token, why: "signature" as const }));
    },
  },
  {
    number: 4,
    title: "RS256 to HS256 with the PEM as the secret",
    make(good, { issuers, ownKey }) {
      const { rsa: first } = issuers[0];
      const { ec: second } = issuers[1];
      const pkcs1 = first.publicKey.export({ type: "pkcs1", format: "pem" }).toString();
      const pem = spkiPem(first.publicKey);
      return [
        { name: "the PEM", secret: pem, kid: first.kid },
        { name: "the PEM behind white space", secret: `\n \t${pem}`, kid: first.kid },
        { name: "the PEM without its last line end", secret: pem.trim(), kid: first.kid },
        { name: "the PEM of PKCS #1", secret: pkcs1, kid: first.kid },
        { name: "the DER", secret: first.publicKey.export({ type: "spki", format: "der" }), kid: first.kid },
        { name: "the PEM of an EC key", secret: spkiPem(second.publicKey), kid: second.kid },
        { name: "the PEM of the server's own key", secret: spkiPem(ownKey.publicKey), kid: ownKey.kid },
      ].flatMap(({ name, secret, kid }) => [
        withSecret(good, { name, secret, kid }),
        withSecret(good, { name: `${name}, no kid`, secret }),
      ]);
    },
  },
  {
    number: 5,
    title: "HS256 against an RSA JWK without alg",
    make(good, { issuers }) {
      const { kid, jwk } = issuers[0].rsa;
      return [
        { name: "the JWK as JSON", secret: JSON.stringify(jwk), kid },
        { name: "the modulus", secret: Buffer.from(jwk.n ?? "", "base64url"), kid },
        { name: "the modulus as text", secret: jwk.n ?? "", kid },
        { name: "nothing", secret: "", kid },
      ].map((forgery) => withSecret(good, forgery));
    },
  },
  {
    number: 6,
    title: "a key of issuer B with iss A",
    make(good, world) {
      const [first, second] = world.issuers;
      const signedBy = (name: string, header: object, sign: Sign) => ({
        name,
        token: write({ header: { typ: "JWT", ...header }, claims: good.claims, sign }),
      });
      const foreign = [
        signedBy("RSA", { alg: "RS256", kid: second.rsa.kid }, rsa(second.rsa.privateKey)),
        signedBy("EC", { alg: "ES256", kid: first.ec.kid }, ecdsa(first.ec.privateKey)),
        signedBy("RSA, no kid", { alg: "RS256" }, rsa(second.rsa.privateKey)),
        signedBy("EC, no kid", { alg: "ES256" }, ecdsa(first.ec.privateKey)),
      ];
      const own = { alg: "EdDSA", kid: world.ownKey.kid };
      if (isOidc(good)) {
        const names = good.header["alg"] === "RS256" ? ["RSA", "RSA, no kid"] : ["EC", "EC, no kid"];
        return [
          ...foreign
            .filter(({ name }) => names.includes(name))
            .map((token) => ({ ...token, why: "signature" as const })),
          {
            ...signedBy("the server's own key", own, eddsa(world.ownKey.privateKey)),
            why: "issuer",
            isGenuine: true,
          },
        ];
      }
      return foreign.map((token) => ({ ...token, why: "issuer" }));
    },
  },
  {
    number: 8,
    title: "the attacker's key in the header, as jwk",
    make(good, world) {
      const forgery = forge(good, world);
      const { kid: _, ...withoutKid } = good.header;
      return [
        { name: "under the good key's kid", header: { ...good.header, jwk: forgery.jwk } },
        ...(isOwnEdDsa(good)
          ? [] // without its kid nothing says that the token is the server's own: see class 6
          : [{ name: "without a kid", header: { ...withoutKid, jwk: forgery.jwk } }]),
      ].map(({ name, header }) => ({
        name,
        token: write({ ...good, header, sign: forgery.sign }),
        why: "malformed",
      }));
    },
  },
  {
    number: 9,
    title: "where to find the attacker's key in the header: jku, x5u, x5c",
    make(good, world) {
      const { url, rsa: key } = world.attacker;
      const certificate = key.publicKey.export({ type: "spki", format: "der" }).toString("base64");
      return [{ jku: `${url}/keys` }, { x5u: `${url}/certificate.pem` }, { x5c: [certificate] }].map(
        (extra) => ({
          name: Object.keys(extra).join(),
          token: write({
            ...good,
            header: { ...good.header, ...extra },
            sign: forge(good, world).sign,
          }),
          why: "malformed",
        }),
      );
    },
  },
  {
    number: 10,
    title: "a kid that is a path, a query, an address, or 10 kB long",
    make(good, world) {
      const { sign } = forge(good, world);
      const isHmac = good.header["alg"] === "HS256";
      const emptyFile = isHmac ? hmac("") : sign;
      const fromQuery = isHmac ? hmac("x") : sign;
      // What has another kid than the server's own key is not taken for the server's own.
      const why = (other: TokenErrorCode) => (isOwnEdDsa(good) ? "issuer" : other);
      return [
        { name: "a path", kid: "../../../../../../dev/null", sign: emptyFile, why: why("malformed") },
        { name: "a path with NUL", kid: "/dev/null\0.pem", sign: emptyFile, why: why("malformed") },
        { name: "SQL", kid: "x' UNION SELECT 'x' --", sign: fromQuery, why: why("malformed") },
        { name: "an address", kid: `${world.attacker.url}/keys`, sign, why: why("signature") },
        { name: "no text", kid: { toString: "x" }, sign, why: why("malformed") },
        { name: "10 kB", kid: "k".repeat(10_240), sign, why: "malformed" as const },
      ].map(({ name, kid, sign, why }) => ({
        name,
        token: write({ ...good, header: { ...good.header, kid }, sign }),
        why,
      }));
    },
  },
  {
    number: 12,
    title: "an extension that is not understood: crit, b64",
    make: (good) =>
      [
        { crit: [] },
        { crit: ["exp"], exp: 1 },
        { crit: ["https://example.com/x"], "https://example.com/x": 1 },
        { crit: null },
        { b64: false },
        { b64: false, crit: ["b64"] },
      ].map((extra) => ({
        name: JSON.stringify(extra),
        token: write({ ...good, header: { ...good.header, ...extra } }),
        why: "malformed",
      })),
  },
  {
    number: 13,
    title: "an algorithm that is not listed, and an ES256 signature of zeros",
    make: (good, world) => [
      { name: "a signature of zeros", token: write({ ...good, sign: zeros(good) }), why: "signature" },
      ...unlisted(good, world).map(({ alg, sign }) => ({
        name: alg,
        token: write({ ...good, header: { ...good.header, alg }, sign }),
        why: "algorithm" as const,
      })),
    ],
  },
  {
    number: 14,
    title: "an encrypted token, also with a huge p2c, also a zip bomb",
    async make(good, { secrets, issuers }) {
      const plain = Buffer.from(write(good));
      const header = (value: object) => encode(JSON.stringify({ ...value, canary }));
      const bomb = encode(deflateRawSync(Buffer.alloc(1_000_000)));
      const costly = { alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2s: "AAAA", p2c: 2_147_483_647 };
      return [
        { name: "to the secret", token: await encryptDirectly(plain, secrets.jwt) },
        {
          name: "to an issuer's key",
          token: await new CompactEncrypt(plain)
            .setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM", canary })
            .encrypt(issuers[0].rsa.publicKey),
        },
        { name: "a huge p2c", token: `${header(costly)}.AAAA.AAAA.AAAA.AAAA` },
        {
          name: "a zip bomb",
          token: `${header({ alg: "dir", enc: "A128GCM", zip: "DEF" })}..AAAA.${bomb}.AAAA`,
        },
      ].map((token) => ({ ...token, why: "malformed" }));
    },
  },
  {
    number: 15,
    title: "an unsigned token inside an encrypted one",
    async make(good, { secrets }) {
      const inner = write({ header: { alg: "none" }, claims: good.claims, sign: fixed("") });
      return [
        { name: "encrypted", token: await encryptDirectly(Buffer.from(inner), secrets.jwt) },
        {
          name: "as the payload of one",
          token: signParts(part({ ...good.header, cty: "JWT", canary }), encode(inner), good.sign),
        },
      ].map((token) => ({ ...token, why: "malformed" }));
    },
  },
  {
    number: 16,
    title: "the JSON serialization",
    make(good) {
      const [header, payload, signature] = partsOf(good);
      return [
        { name: "flattened", json: { protected: header, payload, signature } },
        { name: "general", json: { payload, signatures: [{ protected: header, signature }] } },
      ].map(({ name, json }) => ({ name, token: JSON.stringify(json), why: "malformed" }));
    },
  },
  {
    number: 17,
    title: "more than 8 KiB",
    make: (good) => [
      {
        name: "signed",
        token: write({ ...good, claims: { ...good.claims, pad: "x".repeat(6_500) } }),
        why: "malformed",
      },
      { name: "dots", token: `${encode(canary)}${".".repeat(9_000)}`, why: "malformed" },
    ],
  },
  {
    number: 18,
    title: "another spelling of the same bytes: padding, line ends, spaces, spare bits",
    make(good) {
      const [header, payload, signature] = partsOf(good);
      const token = `${header}.${payload}.${signature}`;
      const [loose, tight] = [`${JSON.stringify(good.claims)} `, `${JSON.stringify(good.claims)}  `];
      // Of three texts in a row, one has no spare bits.
      const spare = encode(loose).length % 4 === 0 ? encode(tight) : encode(loose);
      return [
        { name: "= at the end", token: `${token}=` },
        { name: "= behind the header", token: signParts(`${header}=`, payload, good.sign) },
        { name: "= behind the payload", token: signParts(header, `${payload}=`, good.sign) },
        { name: "a line end", token: `${token}\n` },
        {
          name: "a space within",
          token: signParts(header, `${payload.slice(0, 8)} ${payload.slice(8)}`, good.sign),
        },
        { name: "a space before", token: ` ${token}` },
        { name: "plain base64", token: `${header}.${payload}.${signature.slice(0, -2)}+/` },
        { name: "spare bits of the signature", token: `${token.slice(0, -1)}${nextLetter(token)}` },
        {
          name: "spare bits of the payload",
          token: signParts(header, `${spare.slice(0, -1)}${nextLetter(spare)}`, good.sign),
        },
        { name: "a wide letter", token: `${header}.${payload}.\uff21${signature.slice(1)}` },
        { name: "NUL", token: `${token}\0` },
      ].map((changed) => ({ ...changed, why: "malformed" }));
    },
  },
  {
    number: 19,
    title: "a JSON member twice",
    make(good) {
      const claims = JSON.stringify(good.claims);
      const header = JSON.stringify(good.header);
      const more = (json: string, member: string) => json.replace(/\}$/, `,${member}}`);
      return [
        { name: "sub", claims: more(more(claims, '"sub":"ada"'), '"sub":"ada"') },
        {
          name: "exp, once escaped",
          claims: more(claims, String.raw`"\u0065xp":${String(good.claims["exp"])}`),
        },
        { name: "far down", claims: more(claims, '"x":{"a":[{"b":1,"b":1}]}') },
        { name: "behind white space", claims: more(claims, '"iss" \n\t:"x"') },
        { name: "alg", header: more(header, `"alg":"${String(good.header["alg"])}"`) },
        { name: "alg, none first", header: header.replace("{", '{"alg":"none",') },
      ].map(({ name, ...changed }) => ({ name, token: write({ ...good, ...changed }), why: "malformed" }));
    },
  },
  {
    number: 20,
    title: "no exp",
    make(good) {
      const { exp, ...claims } = good.claims;
      const inherited = JSON.stringify(claims).replace(/\}$/, `,"__proto__":{"exp":${String(exp)}}}`);
      return [
        { name: "none", token: write({ ...good, claims }) },
        { name: "one in __proto__", token: write({ ...good, claims: inherited }) },
      ].map((token) => ({ ...token, why: "claim", isGenuine: true }));
    },
  },
  {
    number: 21,
    title: "an exp that is no time",
    make: (good) => [
      ...[1e308, String(good.claims["exp"]), null, true, [good.claims["exp"]], {}, -1, 253_402_300_800].map(
        (exp) => ({ ...withClaims(good, { exp }), why: "claim" as const, isGenuine: true }),
      ),
      {
        name: "1e999",
        token: write({ ...good, claims: JSON.stringify(good.claims).replace(/"exp":\d+/, '"exp":1e999') }),
        why: "malformed",
      },
    ],
  },
  {
    number: 22,
    title: "expired, beyond the tolerance",
    make: (good) => [
      { ...withClaims(good, times({ iat: -3600, exp: -11 })), why: "expired", isGenuine: true },
      { ...withClaims(good, times({ iat: -7200, exp: -3600 })), why: "expired", isGenuine: true },
    ],
  },
  {
    number: 23,
    title: "nbf in the future, beyond the tolerance",
    make: (good) => [{ ...withClaims(good, times({ nbf: 20 })), why: "not-yet-valid", isGenuine: true }],
  },
  {
    number: 24,
    title: "iat in the future, beyond the tolerance",
    make: (good) => [{ ...withClaims(good, times({ iat: 20 })), why: "not-yet-valid", isGenuine: true }],
  },
  {
    number: 25,
    title: "the audience wrong, absent, in an array",
    make(good) {
      const { aud } = good.claims;
      const oidcArrays = [[], ["other"], [aud, 7], [[aud]]];
      // An issuer's own API may be one of several audiences.
      const arrays = isOidc(good) ? oidcArrays : [...oidcArrays, [aud]];
      return ["other", "", `${String(aud)} `, String(aud).toUpperCase(), null, undefined, {}, ...arrays].map(
        (value) => ({ ...withClaims(good, { aud: value }), why: "audience", isGenuine: true }),
      );
    },
  },
  {
    number: 26,
    title: "the issuer absent, in other letters, with a trailing slash",
    make(good, { attacker }) {
      const iss = String(good.claims["iss"]);
      return [
        undefined,
        null,
        "",
        [iss],
        `${iss}/`,
        iss.toUpperCase(),
        iss.slice(0, 1).toUpperCase() + iss.slice(1),
        ` ${iss}`,
        iss.replace("127.0.0.1", "localhost").replace("backend", "backend2"),
        `${iss}/.well-known/openid-configuration`,
        attacker.url,
      ].map((value) => ({ ...withClaims(good, { iss: value }), why: "issuer", isGenuine: !isOidc(good) }));
    },
  },
  {
    number: 27,
    title: "a token of another kind used for access",
    make(good, world) {
      const kinds = isOidc(good)
        ? ["logout+jwt", "dpop+jwt", "refresh+jwt"]
        : ["at+jwt", "dpop+jwt", "webhook+jwt"];
      return [
        ...[...kinds, "JWE", "", null, ["JWT"]].map((typ) => ({
          name: `typ ${JSON.stringify(typ)}`,
          token: write({ ...good, header: { ...good.header, typ } }),
          why: "malformed" as const,
        })),
        ...otherKinds(good, world),
      ];
    },
  },
  {
    number: 28,
    title: "a name that is none: empty, with NUL, __proto__",
    make: (good) =>
      namesIn(good).flatMap((name) =>
        ["", "a\0b", "__proto__", "\u202eada", "x".repeat(257), null, undefined, ["ada"]].map((value) => ({
          ...withClaims(good, { [name]: value }),
          why: "claim",
          isGenuine: true,
        })),
      ),
  },
  {
    number: 29,
    title: "azp not authorised",
    make: (good) =>
      isOidc(good)
        ? [
            { azp: "https://other.example" },
            { azp: "" },
            { azp: null },
            { azp: [good.claims["azp"]] },
            { azp: `${String(good.claims["azp"])}/` },
            { azp: undefined },
            { azp: undefined, client_id: "other" },
            { azp: "other", client_id: good.claims["azp"] },
          ].map((changes) => ({ ...withClaims(good, changes), why: "audience", isGenuine: true }))
        : [],
  },
];

function partsOf(good: GoodToken): readonly [string, string, string] {
  const [header = "", payload = "", signature = ""] = write(good).split(".");
  return [header, payload, signature];
}

function part(value: unknown): string {
  return encode(JSON.stringify(value));
}

function withClaims(good: GoodToken, changes: Readonly<Record<string, unknown>>) {
  const claims = { ...good.claims, ...changes };
  const told = Object.entries(changes).map(
    ([name, value]) => `${name} ${value === undefined ? "absent" : JSON.stringify(value)}`,
  );
  return { name: told.join(", ").slice(0, 60), token: write({ ...good, claims }) };
}

/** Seconds from now. */
function times(offsets: Readonly<Record<string, number>>): Record<string, number> {
  const now = Math.floor(Date.now() / 1000);
  return Object.fromEntries(Object.entries(offsets).map(([name, seconds]) => [name, now + seconds]));
}

/** The letter after the last one, which stands for the same bytes where there are spare bits. */
function nextLetter(base64: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(base64.at(-1) ?? "") + 1] ?? "";
}

function isOidc({ kind }: GoodToken): boolean {
  return kind === "issuer-login";
}

function isOwnEdDsa({ header }: GoodToken): boolean {
  return header["alg"] === "EdDSA";
}

interface SecretForgery {
  readonly name: string;
  readonly secret: string | Buffer;
  readonly kid?: string;
}

function withSecret(good: GoodToken, { name, secret, kid }: SecretForgery): HostileToken {
  const typ = good.kind === "refresh" ? "refresh+jwt" : "JWT";
  const header = { alg: "HS256", typ, ...(kid !== undefined && { kid }) };
  return { name, token: write({ header, claims: good.claims, sign: hmac(secret) }), why: "signature" };
}

/** The attacker's own key for the token's algorithm: what signs, and what would verify it. */
function forge({ header }: GoodToken, { attacker }: World): { readonly sign: Sign; readonly jwk: object } {
  switch (header["alg"]) {
    case "RS256":
      return { sign: rsa(attacker.rsa.privateKey), jwk: attacker.rsa.jwk };
    case "ES256":
      return { sign: ecdsa(attacker.ec.privateKey), jwk: attacker.ec.jwk };
    case "EdDSA":
      return { sign: eddsa(attacker.ed25519.privateKey), jwk: attacker.ed25519.jwk };
    default: {
      const secret = "the-attackers-own-secret-in-32-bytes";
      return { sign: hmac(secret), jwk: { kty: "oct", k: encode(secret), alg: "HS256" } };
    }
  }
}

function zeros({ header }: GoodToken): Sign {
  const lengths: Readonly<Record<string, number>> = { HS256: 32, RS256: 256 };
  return fixed(new Uint8Array(lengths[String(header["alg"])] ?? 64));
}

/** What others verify with the same key, signed so that it would be. */
function unlisted(
  { header }: GoodToken,
  world: World,
): readonly { readonly alg: string; readonly sign: Sign }[] {
  const [first, second] = world.issuers;
  switch (header["alg"]) {
    case "RS256":
      return [
        { alg: "PS256", sign: pss(first.rsa.privateKey) },
        { alg: "RS512", sign: rsa(first.rsa.privateKey, 512) },
        { alg: "RS1", sign: rsa(first.rsa.privateKey, 1) },
        { alg: "rs256", sign: rsa(first.rsa.privateKey) },
      ];
    case "ES256":
      return ["ES256K", "ES384", "es256"].map((alg) => ({ alg, sign: ecdsa(second.ec.privateKey) }));
    case "EdDSA":
      return ["Ed25519", "Ed448", "eddsa"].map((alg) => ({ alg, sign: eddsa(world.ownKey.privateKey) }));
    default:
      return [
        { alg: "HS384", sign: hmac(world.secrets.jwt, 384) },
        { alg: "HS512", sign: hmac(world.secrets.jwt, 512) },
        { alg: "hs256", sign: hmac(world.secrets.jwt) },
      ];
  }
}

async function encryptDirectly(plain: Uint8Array, secret: string): Promise<string> {
  return new CompactEncrypt(plain)
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", cty: "JWT", canary })
    .encrypt(hash("sha256", secret, "buffer"));
}

/** Tokens that the same key signs for other ends. */
function otherKinds(good: GoodToken, { secrets, ownKey }: World): readonly HostileToken[] {
  if (isOidc(good)) {
    const idToken = { nonce: "n-0S6", auth_time: good.claims["iat"] };
    return [
      { ...withClaims(good, { ...idToken, aud: good.claims["azp"] }), why: "claim", isGenuine: true },
      { ...withClaims(good, { at_hash: "77QmUPtjPfzWtF2AnpK9RQ" }), why: "claim", isGenuine: true },
      {
        ...withClaims(good, { events: { "http://schemas.openid.net/event/backchannel-logout": {} } }),
        why: "claim",
        isGenuine: true,
      },
      { ...withClaims(good, { typ: "Refresh" }), why: "claim", isGenuine: true },
      { ...withClaims(good, { typ: "ID" }), why: "claim", isGenuine: true },
      { ...withClaims(good, { token_use: "id" }), why: "claim", isGenuine: true },
      {
        ...withClaims(good, { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
        why: "claim",
        isGenuine: true,
      },
    ];
  }
  if (good.kind === "refresh") {
    return [
      {
        name: "typ JWT",
        token: write({ ...good, header: { alg: "HS256", typ: "JWT" } }),
        why: "malformed",
        isGenuine: true,
      },
    ];
  }
  const { iat, exp } = good.claims;
  const webhook = { canary, iss: livekitApiKey, iat, exp, sha256: "Y2FuYXJ5" };
  const shared = { header: { alg: "HS256", typ: "JWT" }, sign: hmac(secrets.jwt) };
  const otherAudience = good.kind === "login" ? jwtAudience : "parley";
  const isOwnKeys = isOwnEdDsa(good) && good.kind === "participant";
  return [
    {
      name: "typ of a refresh token",
      token: write({ ...good, header: { ...good.header, typ: "refresh+jwt" } }),
      why: "malformed",
      isGenuine: true,
    },
    {
      name: "a LiveKit webhook's",
      token: write({ ...shared, claims: webhook, sign: hmac(secrets.livekit) }),
      why: "signature",
      isGenuine: true, // for ValidateToken, which knows that secret too
    },
    {
      name: "a LiveKit webhook's, of the same secret",
      token: write({ ...shared, claims: webhook }),
      why: "issuer",
      isGenuine: true,
    },
    {
      ...withClaims(good, { aud: otherAudience }),
      // The server's own key signs no logins, whatever they say.
      why: isOwnKeys ? "algorithm" : "claim",
      isGenuine: true,
    },
    {
      name: "a login of the server's own key",
      token: write({
        header: { alg: "EdDSA", typ: "JWT", kid: ownKey.kid },
        claims: { ...good.claims, sub: "ada", aud: "parley" },
        sign: eddsa(ownKey.privateKey),
      }),
      why: "algorithm",
      isGenuine: true,
    },
  ];
}

function namesIn(good: GoodToken): readonly string[] {
  switch (good.kind) {
    case "login":
    case "issuer-login":
      return ["sub"];
    case "participant":
      return ["userId", "roomName", "participantIdentity", "jti"];
    case "refresh":
      return ["sub", "room", "identity", "fam", "jti"];
  }
}
