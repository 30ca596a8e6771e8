/**
 * Reads JSON (RFC 8259) by hand, so that the judge of the fuzz target does not rest on the code that it judges. An object
 * becomes a Map. Duplicate members, numbers beyond a double and more than 64 levels are no JSON here.
 */

const maxDepth = 64;

export type Json = null | boolean | number | string | readonly Json[] | ReadonlyMap<string, Json>;

/** Undefined for what is not strict JSON. */
export function readStrictJson(text: string): Json | undefined {
  try {
    const reader = new Reader(text);
    const value = reader.value();
    reader.end();
    return value;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

class NotJson extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Json {
    this.#skipSpace();
    const next = this.#text[this.#at];
    if (next === "{") return this.#object();
    if (next === "[") return this.#array();
    if (next === '"') return this.#string();
    const word = this.#take(/true|false|null/y);
    if (word !== undefined) return word === "null" ? null : word === "true";
    return this.#number();
  }

  end(): void {
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw new NotJson();
  }

  #object(): Json {
    const members = new Map<string, Json>();
    this.#list("{", "}", () => {
      this.#skipSpace();
      const name = this.#string();
      this.#skipSpace();
      this.#expect(":");
      if (members.has(name)) throw new NotJson();
      members.set(name, this.value());
    });
    return members;
  }

  #array(): Json {
    const values: Json[] = [];
    this.#list("[", "]", () => void values.push(this.value()));
    return values;
  }

  #list(open: string, close: string, readOne: () => void): void {
    this.#expect(open);
    if (++this.#depth > maxDepth) throw new NotJson();
    this.#skipSpace();
    if (this.#text[this.#at] !== close) {
      for (;;) {
        readOne();
        this.#skipSpace();
        if (this.#text[this.#at] !== ",") break;
        this.#at += 1;
      }
    }
    this.#expect(close);
    this.#depth -= 1;
  }

  #string(): string {
    const text = this.#take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    if (text === undefined) throw new NotJson();
    return text
      .slice(1, -1)
      .replace(/\\(?:u(....)|(.))/g, (_, code: string | undefined, short: string) =>
        code === undefined ? (shortEscapes[short] ?? short) : String.fromCharCode(Number.parseInt(code, 16)),
      );
  }

  #number(): number {
    const value = Number(this.#take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y) ?? "none");
    if (!Number.isFinite(value)) throw new NotJson();
    return value;
  }

  #skipSpace(): void {
    this.#take(/[ \t\n\r]*/y);
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new NotJson();
    this.#at += 1;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

const shortEscapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
