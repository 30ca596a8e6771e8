/** Times and numbers as people read them, in the browser's own language where words are not involved. */
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";

/** `12:05`, or `1:02:05` from an hour on. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** `12 minutes 5 seconds`, for screen readers. */
export function speakDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ] as const;
  const words = parts.flatMap(([count, unit]) =>
    count === 0 ? [] : [`${count} ${unit}${count === 1 ? "" : "s"}`],
  );
  return words.length === 0 ? "0 seconds" : words.join(" ");
}

/** `Tue 3 Mar, 14:05`; with the year when it is another one than `now`'s. Empty when there is no time. */
export function formatTime(time: Timestamp | undefined, now = new Date()): string {
  if (!time) return "";
  const date = timestampDate(time);
  return date.toLocaleString(undefined, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    ...(date.getFullYear() !== now.getFullYear() && { year: "numeric" }),
  });
}

/** With so many digits as its size deserves: `142`, `4.2`, `0.35`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 20 ? 0 : size >= 1 ? 1 : 2;
  return value.toLocaleString(undefined, { maximumFractionDigits: digits });
}
