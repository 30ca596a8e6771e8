/**
 * Strict readers of what the exporter writes: WebVTT as https://www.w3.org/TR/webvtt1/#webvtt-file has it (of which cues
 * only), and SubRip. They throw on anything else. Written apart from the formatters; share no code with them.
 */
export interface ParsedCue {
  readonly startMs: number;
  readonly endMs: number;
  readonly lines: readonly string[];
  readonly voice?: string;
}

export function parseVtt(file: string): ParsedCue[] {
  const [head = "", ...blocks] = file.replace(/\n$/, "").split("\n\n");
  if (head !== "WEBVTT") throw new Error(`not a WebVTT header: ${head}`);
  return blocks.map((block, index) => {
    const { startMs, endMs, payload } = parseBlock(block, index, /^(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})$/);
    const text = payload.join("\n");
    const voice = /^<v ([^>\n]+)>/.exec(text);
    const escaped = text.slice(voice?.[0].length ?? 0);
    if (/[<>]|&(?!amp;|lt;|gt;)/.test(escaped)) throw new Error(`not escaped: ${escaped}`);
    const plain = escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    return { startMs, endMs, lines: plain.split("\n"), ...(voice?.[1] !== undefined && { voice: voice[1] }) };
  });
}

export function parseSrt(file: string): ParsedCue[] {
  if (file === "") return [];
  return file
    .replace(/\n$/, "")
    .split("\n\n")
    .map((block, index) => {
      const { startMs, endMs, payload } = parseBlock(block, index, /^(\d{2,}):([0-5]\d):([0-5]\d),(\d{3})$/);
      if (payload.some((line) => /<[/a-z]/i.test(line))) throw new Error(`markup: ${block}`);
      return { startMs, endMs, lines: payload };
    });
}

function parseBlock(block: string, index: number, time: RegExp) {
  const [number, times = "", ...payload] = block.split("\n");
  if (number !== String(index + 1)) throw new Error(`cue ${index + 1} is numbered ${number ?? ""}`);
  const [start = "", end = "", ...rest] = times.split(" --> ");
  if (rest.length > 0) throw new Error(`not times: ${times}`);
  if (payload.length === 0 || payload.some((line) => line.trim() === "" || line.includes("-->"))) {
    throw new Error(`not cue text: ${block}`);
  }
  return { startMs: toMs(start, time), endMs: toMs(end, time), payload };
}

function toMs(text: string, time: RegExp): number {
  const match = time.exec(text);
  if (match === null) throw new Error(`not a time: ${text}`);
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = match.slice(1).map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}
