/** The page's one store of recordings, opened when first asked for. */
import { RecordingStore } from "./recording-store.ts";

let opening: Promise<RecordingStore | undefined> | undefined;

/** Undefined where this browser gives the page none; everything works without it, but nothing can be heard again. */
export function openRecordings(): Promise<RecordingStore | undefined> {
  return (opening ??= RecordingStore.open().catch(() => undefined));
}
