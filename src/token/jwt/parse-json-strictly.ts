/**
 * JSON.parse that refuses duplicate members, at any depth, and numbers beyond a double: two readers of one token must not
 * see two values (RFC 7519, section 4; RFC 8259, sections 4 and 6, leaves the choice to the parser). What is nested so deeply
 * that a reader may run out of its stack is refused too (RFC 8259, section 9).
 */

/** Levels of objects and arrays. Tokens have three or four. */
const maxDepth = 64;

/** Throws SyntaxError. */
export function parseJsonStrictly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  refuseDuplicateMembers(text);
  if (mayOverflow.test(text)) JSON.parse(text, refuseInfinity);
  return value;
}

/** A number above a double has an exponent or some hundred digits. Without either, nothing has to be looked at one by one. */
const mayOverflow = /\d[eE]|\d{300}/;

function refuseInfinity(_name: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new SyntaxError("number out of range");
  return value;
}

/** And too many levels. `text` is known to be valid JSON, so that strings and brackets are all there is to look at. */
function refuseDuplicateMembers(text: string): void {
  const objects: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    if (objects.length > maxDepth) throw new SyntaxError("nested too deeply");
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
