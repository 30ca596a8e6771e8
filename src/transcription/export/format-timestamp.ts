/**
 * Times as caption files write them. Never rounds up: a cue must not end after the next begins.
 */

/**
 * `HH:MM:SS` and milliseconds after `separator`: "." in WebVTT, "," in SubRip. Hours have two digits or as many as they
 * need. A negative time is written as 0.
 */
export function formatTimestamp(timeMs: number, separator: "." | ","): string {
  const wholeMs = Math.max(0, Math.floor(timeMs));
  const hours = Math.floor(wholeMs / 3_600_000);
  const minutes = Math.floor(wholeMs / 60_000) % 60;
  const seconds = Math.floor(wholeMs / 1000) % 60;
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}${separator}${pad(wholeMs % 1000, 3)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
