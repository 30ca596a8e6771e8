/**
 * Lua's string.match (Lua 5.4 manual, section 6.4.1), for the room claims that Prosody takes as patterns: translated to a regular
 * expression, which backtracks in the same order. Not `%b`, `%f` and the capture of a position.
 */

export class LuaPatternError extends Error {
  override readonly name = "LuaPatternError";
}

/** The first capture, or what matched where there is none; undefined when nothing did. Throws LuaPatternError. */
export function matchLuaPattern(text: string, pattern: string): string | undefined {
  let expression: RegExp;
  try {
    expression = new RegExp(translate(pattern));
  } catch (error) {
    if (error instanceof LuaPatternError) throw error;
    throw new LuaPatternError("is none"); // brackets that do not fit each other
  }
  const found = expression.exec(text);
  return found ? (found[1] ?? found[0]) : undefined;
}

/** Those that a pattern repeats something with. What is escaped or in a set is none. */
export function countQuantifiers(pattern: string): number {
  const outside = pattern.replace(/%[\s\S]/g, "").replace(/\[[^\]]*\]?/g, "");
  return outside.match(/[*+?-]/g)?.length ?? 0;
}

type Range = readonly [from: number, to: number];

const between = (from: string, to: string): Range => [from.charCodeAt(0), to.charCodeAt(0)];
const digits = between("0", "9");
const lower = between("a", "z");
const upper = between("A", "Z");
const lastCode = 0xffff;

const classes: Readonly<Record<string, readonly Range[]>> = {
  a: [upper, lower],
  c: [
    [0, 31],
    [127, 127],
  ],
  d: [digits],
  g: [between("!", "~")],
  l: [lower],
  p: [between("!", "/"), between(":", "@"), between("[", "`"), between("{", "~")],
  s: [
    [9, 13],
    [32, 32],
  ],
  u: [upper],
  w: [digits, upper, lower],
  x: [digits, between("A", "F"), between("a", "f")],
};

/** One item of a pattern, and where the next one begins. */
interface Item {
  readonly source: string;
  readonly end: number;
}

function translate(pattern: string): string {
  const isAnchored = pattern.startsWith("^");
  let source = isAnchored ? "^" : "";
  const captures = new Captures();
  for (let at = isAnchored ? 1 : 0; at < pattern.length;) {
    const { source: one, end, canRepeat } = readItem(pattern, at, captures);
    const quantifier = canRepeat ? (quantifiers[pattern.charAt(end)] ?? "") : "";
    source += one + quantifier;
    at = quantifier === "" ? end : end + 1;
  }
  return source;
}

/** Which captures have begun, and which of them have not ended. */
class Captures {
  #count = 0;
  readonly #open: number[] = [];

  begin(): void {
    this.#open.push((this.#count += 1));
  }

  end(): void {
    this.#open.pop();
  }

  hasEnded(index: number): boolean {
    return index > 0 && index <= this.#count && !this.#open.includes(index);
  }
}

/** `-` takes as little as possible. */
const quantifiers: Readonly<Record<string, string>> = { "*": "*", "+": "+", "?": "?", "-": "*?" };

function readItem(pattern: string, at: number, captures: Captures): Item & { readonly canRepeat: boolean } {
  const char = pattern.charAt(at);
  const next = pattern.charAt(at + 1);
  const once = (source: string, length: number) => ({ source, end: at + length, canRepeat: false });
  if (char === "(" && next === ")") throw new LuaPatternError("captures a position");
  if (char === "(") {
    captures.begin();
    return once(char, 1);
  }
  if (char === ")") {
    captures.end();
    return once(char, 1);
  }
  if (char === "$" && at === pattern.length - 1) return once("$", 1);
  if (char === "%" && /[bf]/.test(next)) throw new LuaPatternError(`uses %${next}`);
  if (char === "%" && /\d/.test(next)) {
    if (!captures.hasEnded(Number(next))) throw new LuaPatternError("refers to a capture that has not ended");
    return once(`(?:\\${next})`, 2);
  }
  if (char === "[") return { ...readSet(pattern, at), canRepeat: true };
  if (char === ".") return { source: "[\\s\\S]", end: at + 1, canRepeat: true };
  const { ranges, end } = readOne(pattern, at);
  return { source: `[${write(ranges)}]`, end, canRepeat: true };
}

/** As Lua reads it: a `]` that comes first is a member. */
function readSet(pattern: string, at: number): Item {
  const isNegated = pattern.charAt(at + 1) === "^";
  const start = isNegated ? at + 2 : at + 1;
  let source = "";
  let next = start;
  while (next === start || pattern.charAt(next) !== "]") {
    if (next >= pattern.length) throw new LuaPatternError("has a set without an end");
    const isRange =
      pattern.charAt(next) !== "%" &&
      pattern.charAt(next + 1) === "-" &&
      next + 2 < pattern.length &&
      pattern.charAt(next + 2) !== "]";
    if (isRange) {
      const [from, to] = [pattern.charCodeAt(next), pattern.charCodeAt(next + 2)];
      if (from <= to) source += write([[from, to]]); // otherwise it has no member
      next += 3;
      continue;
    }
    const { ranges, end } = readOne(pattern, next);
    source += write(ranges);
    next = end;
  }
  return { source: `[${isNegated ? "^" : ""}${source}]`, end: next + 1 };
}

/** A character, or a class of them. */
function readOne(pattern: string, at: number): { readonly ranges: readonly Range[]; readonly end: number } {
  const code = pattern.charCodeAt(at);
  if (pattern.charAt(at) !== "%") return { ranges: [[code, code]], end: at + 1 };
  const letter = pattern.charAt(at + 1);
  if (letter === "") throw new LuaPatternError("ends with %");
  const known = classes[letter.toLowerCase()];
  const escaped = letter.charCodeAt(0);
  if (!known || !/[A-Za-z]/.test(letter)) return { ranges: [[escaped, escaped]], end: at + 2 };
  return { ranges: letter === letter.toLowerCase() ? known : without(known), end: at + 2 };
}

/** Everything else; `ranges` are in order. */
function without(ranges: readonly Range[]): readonly Range[] {
  const gaps: Range[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    if (start > from) gaps.push([from, start - 1]);
    from = end + 1;
  }
  return [...gaps, [from, lastCode]];
}

function write(ranges: readonly Range[]): string {
  const escape = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
  return ranges.map(([from, to]) => `${escape(from)}-${escape(to)}`).join("");
}
