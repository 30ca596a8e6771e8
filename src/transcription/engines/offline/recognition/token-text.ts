/** From tokens to words: a word is a run of tokens of which the first begins with a space. */

export interface TokenWord {
  readonly text: string;
  /** Index of its first token, and one past its last. */
  readonly firstToken: number;
  readonly endToken: number;
}

const spaceMark = "▁";
const byteToken = /^<0x([0-9A-F]{2})>$/;
const utf8 = new TextDecoder();

/** `pieces` is the vocabulary: the text of each token, with ▁ for a space and <0xNN> for a byte. */
export function wordsOf(tokens: readonly number[], pieces: readonly string[]): TokenWord[] {
  const starts: number[] = [];
  tokens.forEach((token, index) => {
    if (index === 0 || (pieces[token] ?? "").startsWith(spaceMark)) starts.push(index);
  });
  return starts
    .map((firstToken, index) => {
      const endToken = starts[index + 1] ?? tokens.length;
      return { text: textOf(tokens.slice(firstToken, endToken), pieces), firstToken, endToken };
    })
    .filter((word) => word.text !== "");
}

function textOf(tokens: readonly number[], pieces: readonly string[]): string {
  const bytes: number[] = [];
  for (const token of tokens) {
    const piece = pieces[token] ?? "";
    const byte = byteToken.exec(piece)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else bytes.push(...Buffer.from(piece.replaceAll(spaceMark, " ")));
  }
  return utf8.decode(Uint8Array.from(bytes)).trim();
}
