/** Times and numbers as people read them. */

/** 83_250 → "1:23.2", and with hours "1:02:03.4". */
export function formatTime(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const hours = Math.floor(tenths / 36_000);
  const minutes = Math.floor(tenths / 600) % 60;
  const seconds = (tenths % 600) / 10;
  const padded = (value: number, width: number, digits = 0) => value.toFixed(digits).padStart(width, "0");
  return hours > 0
    ? `${hours}:${padded(minutes, 2)}:${padded(seconds, 4, 1)}`
    : `${minutes}:${padded(seconds, 4, 1)}`;
}

export function formatMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
