/** Says what sound this browser keeps, and deletes it. */
import { useEffect, useState } from "preact/hooks";
import { keptRecordings } from "../audio/recording-store.ts";
import { openRecordings } from "../audio/recordings.ts";
import { announce } from "../ui/announcer.tsx";
import { formatNumber } from "../ui/format.ts";

const bytesPerSample = 2;

export function KeptRecordings() {
  const [kept, setKept] = useState<{ readonly count: number; readonly bytes: number }>();
  const look = async () => {
    const finished = (await (await openRecordings())?.list())?.filter(({ isFinished }) => isFinished) ?? [];
    const bytes = finished.reduce((sum, { endSample }) => sum + endSample * bytesPerSample, 0);
    setKept({ count: finished.length, bytes });
  };
  useEffect(() => {
    void look();
  }, []);
  const deleteAll = async () => {
    const store = await openRecordings();
    for (const { recordingId, isFinished } of (await store?.list()) ?? [])
      if (isFinished) await store?.delete(recordingId);
    announce("The recordings in this browser are deleted.");
    await look();
  };
  return (
    <p class="soft small kept">
      The server stores words and figures, and no sound. Sound stays in this browser, of the last{" "}
      {keptRecordings} recordings, so that reports can play it.{" "}
      {kept !== undefined && kept.count > 0 && (
        <button type="button" class="text-button" onClick={() => void deleteAll()}>
          Delete {kept.count === 1 ? "the one" : `the ${kept.count}`} kept here (
          {formatNumber(kept.bytes / 1e6)} MB)
        </button>
      )}
    </p>
  );
}
