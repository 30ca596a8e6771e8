/**
 * JSON.parse that refuses duplicate members, at any depth, and numbers beyond a double: two readers of one token must not
 * see two values (RFC 7519, section 4; RFC 8259, sections 4 and 6, leaves the choice to the parser).
 */

/** Throws SyntaxError. */
export function parseJsonStrictly(text: string): unknown {
  const value: unknown = mayOverflow.test(text) ? JSON.parse(text, refuseInfinity) : JSON.parse(text);
  refuseDuplicateMembers(text);
  return value;
}

/** A number above a double has an exponent or some hundred digits. Without either, nothing has to be looked at one by one. */
const mayOverflow = /\d[eE]|\d{300}/;

function refuseInfinity(_name: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new SyntaxError("number out of range");
  return value;
}

/** `text` is known to be valid JSON, so that strings and brackets are all there is to look at. */
function refuseDuplicateMembers(text: string): void {
  const objects: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case "{":
        objects.push(new Set());
        break;
      case "[":
        objects.push(undefined);
        break;
      case "}":
      case "]":
        objects.pop();
        break;
      case '"': {
        const end = endOfString(text, at);
        const members = objects.at(-1);
        if (members && isName(text, end)) {
          const name = JSON.parse(text.slice(at, end)) as string;
          if (members.has(name)) throw new SyntaxError("duplicate member");
          members.add(name);
        }
        at = end - 1;
        break;
      }
      default:
    }
  }
}

/** Whether a colon follows, after however much white space. */
function isName(text: string, end: number): boolean {
  let at = end;
  while (" \t\n\r".includes(text.charAt(at)) && at < text.length) at++;
  return text[at] === ":";
}

/** The index after the closing quotation mark of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
