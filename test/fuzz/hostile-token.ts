/**
 * Makes a token out of bytes: begins with a sample, changes what it says and how it says it, signs it with a good key or a bad
 * one, and changes the text or does not. The same bytes make the same token in every process.
 */
import { ByteReader } from "./byte-reader.ts";
import { changeMembers } from "./change-members.ts";
import { changePart, changeToken, spellPart } from "./change-text.ts";
import { sampleTokens } from "./sample-tokens.ts";
import type { Member } from "./sample-tokens.ts";
import { signInput, signingKeyNames } from "./sign-input.ts";

export interface HostileToken {
  readonly token: string;
  /** Whether a good key signed just these bytes. */
  readonly isSigned: boolean;
}

const write = (members: readonly Member[]) => `{${members.map((member) => member.join(":")).join(",")}}`;
const encode = (text: string | Buffer) => Buffer.from(text as string).toString("base64url");

const samples = sampleTokens.map(({ header, claims, key }) =>
  signInput(`${encode(write(header))}.${encode(write(claims))}`, key),
);
const samplesByText = samples.map(({ token }) => token);

export function makeHostileToken(data: Uint8Array): HostileToken {
  const choose = new ByteReader(data);
  const sample = choose.pick(sampleTokens);
  const [header, claims] = [[...sample.header], [...sample.claims]];
  for (let changes = choose.below(5); changes > 0; changes--) changeMembers(choose, header, claims);
  const [headerPart, claimsPart] = [header, claims].map((members) => {
    const text = write(members);
    const bytes = choose.below(8) === 0 ? changePart(choose, text) : Buffer.from(text);
    return choose.below(12) === 0 ? spellPart(choose, bytes) : encode(bytes);
  });
  const key = choose.below(4) === 0 ? choose.pick(signingKeyNames) : sample.key;
  const signed = signInput(`${headerPart}.${claimsPart}`, key);
  let { token } = signed;
  for (let changes = choose.pick([0, 0, 0, 1, 1, 2]); changes > 0; changes--)
    token = changeToken(choose, token, samplesByText);
  // Parts of several tokens may have come together to a whole one again.
  const whole = [signed, ...samples].find((candidate) => candidate.token === token);
  return { token, isSigned: whole?.isGood ?? false };
}
