/** Changes the bytes of a part before it is signed, and the text of a token after. */
import type { ByteReader } from "./byte-reader.ts";

/** JSON in another form, JSON that is none, and bytes that are no text. */
export function changePart(choose: ByteReader, text: string): Buffer {
  const at = choose.below(text.length + 1);
  const space = choose.pick([" ", "\n\t", "\r\n ", "\u00a0", "\u2028", "\v"]);
  switch (choose.below(9)) {
    case 0:
      return Buffer.from(`${space}${text}${space}`);
    case 1:
      return Buffer.from(text.replaceAll(choose.pick([",", ":", "{"]), (found) => `${found}${space}`));
    case 2:
      return Buffer.from(`\ufeff${text}`);
    case 3:
      return Buffer.from(`${text}${choose.pick(["}", ",", "\0", "{}", "null", "//"])}`);
    case 4:
      return Buffer.from(choose.pick([`[${text}]`, JSON.stringify(text), "null", "{}", "", `{"a":${text}}`]));
    case 5:
      return Buffer.from(text.slice(0, at) + choose.text(3) + text.slice(at + choose.below(3)));
    case 6:
      return Buffer.from(
        text.replace("{", `{"pad":"${"x".repeat(choose.pick([10, 1000, 5500, 6200, 9000]))}",`),
      );
    case 7:
      return Buffer.from(
        text.replace(
          "{",
          `{"deep":${"[".repeat(2500)}${choose.pick(["1e5", "", "1e400"])}${"]".repeat(2500)},`,
        ),
      );
    default: {
      const bytes = Buffer.from(text);
      bytes[choose.below(bytes.length)] = choose.byte();
      return bytes;
    }
  }
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** As lenient readers of base64url take it, and strict ones do not. */
export function spellPart(choose: ByteReader, bytes: Buffer): string {
  const text = bytes.toString("base64url");
  switch (choose.below(6)) {
    case 0:
      return bytes.toString("base64");
    case 1:
      return respell(choose, text);
    case 2:
      return `${text}A`;
    case 3:
      return `${text}${choose.pick(["=", "==", "\n", " ", "%", "*"])}`;
    case 4: {
      const at = choose.below(text.length);
      return text.slice(0, at) + choose.pick(["\n", " ", "=", "*", "é"]) + text.slice(at);
    }
    default:
      return bytes.toString("hex");
  }
}

/** The same bytes in another spelling, other bytes, or another number of parts. */
export function changeToken(choose: ByteReader, token: string, others: readonly string[]): string {
  const at = choose.below(token.length + 1);
  switch (choose.below(10)) {
    case 0:
      return `${token}${choose.pick(["=", "==", "\n", " ", ".", "A", "\0", "%3D"])}`;
    case 1:
      return respellPart(choose, token);
    case 2:
      return flipBit(choose, token);
    case 3:
      return (
        token.slice(0, at) +
        choose.pick(["A", "-", "_", ".", "=", "+", "/", "é", " ", "\n"]) +
        token.slice(at + choose.below(2))
      );
    case 4:
      return token.slice(0, at);
    case 5:
      return token.slice(0, at) + choose.text(4) + token.slice(at);
    case 6:
      return mixParts(choose, token, choose.pick(others));
    case 7:
      return choose.pick([
        ` ${token}`,
        `Bearer ${token}`,
        `"${token}"`,
        `\ufeff${token}`,
        token.toUpperCase(),
      ]);
    case 8:
      return choose.pick([
        token.repeat(40),
        `${token}.${token}`,
        ".".repeat(9000),
        "..",
        "",
        "A".repeat(8192),
      ]);
    default:
      return token.replaceAll("-", "+").replaceAll("_", "/");
  }
}

function respellPart(choose: ByteReader, token: string): string {
  const parts = token.split(".");
  const at = choose.below(parts.length);
  parts[at] = respell(choose, parts[at] ?? "");
  return parts.join(".");
}

/** Sets bits of the last character that belong to no byte, where there are such: lenient readers read the same bytes. */
function respell(choose: ByteReader, part: string): string {
  const value = alphabet.indexOf(part.slice(-1));
  return part.slice(0, -1) + (alphabet[value ^ (1 + choose.below(15))] ?? "A");
}

function flipBit(choose: ByteReader, token: string): string {
  const bytes = Buffer.from(token);
  const at = choose.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << choose.below(7));
  return bytes.toString("latin1");
}

function mixParts(choose: ByteReader, token: string, other: string): string {
  const parts = [...token.split("."), ...other.split(".")];
  const count = choose.pick([3, 3, 3, 2, 4, 5]);
  return Array.from({ length: count }, () => choose.pick(parts)).join(".");
}
