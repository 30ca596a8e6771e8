/**
 * Times as caption files write them. Never rounds up: a cue must not end after the next begins.
 */

/**
 * `HH:MM:SS` and milliseconds after `separator`: "." in WebVTT, "," in SubRip. Hours have two digits or as many as they
 * need. The time is not negative.
 */
export function formatTimestamp(timeMs: number, separator: "." | ","): string {
  const wholeMs = Math.floor(timeMs);
  const hours = Math.floor(wholeMs / 3_600_000);
  const minutes = Math.floor(wholeMs / 60_000) % 60;
  const seconds = Math.floor(wholeMs / 1000) % 60;
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}${separator}${pad(wholeMs % 1000, 3)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
