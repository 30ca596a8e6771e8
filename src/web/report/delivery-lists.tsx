/** Fillers and pauses of a session, each with its place. */
import { useMemo, useState } from "preact/hooks";
import { PauseKind } from "../../../gen/ts/parley/transcription/v1/delivery_pb.ts";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { formatDuration } from "../ui/format.ts";
import { CiteButton } from "./cite-button.tsx";
import { placeOfPause } from "./cited-place.ts";
import type { ReportStage } from "./report-stage.ts";

export interface DeliveryListProps {
  readonly summary: SessionSummary;
  readonly stage: ReportStage;
}

const shownAtFirst = 8;

export function FillerList({ summary: { fillers }, stage }: DeliveryListProps) {
  const uses = useMemo(
    () =>
      (fillers?.uses ?? []).map(({ text, startMs, endMs, firstWordIndex, lastWordIndex }) => ({
        text,
        place: { startMs, endMs, words: { firstWord: firstWordIndex, lastWord: lastWordIndex } },
      })),
    [fillers],
  );
  const lead =
    fillers?.detectable === false
      ? "The engine that listened may leave fillers out, so they cannot be counted."
      : uses.length === 0
        ? "None was heard."
        : countByText(uses.map(({ text }) => text));
  return (
    <Card title="Fillers" lead={lead}>
      <Places
        stage={stage}
        places={uses.map(({ text, place }) => ({
          place,
          label: `“${text}” at ${formatDuration(place.startMs)}`,
        }))}
      />
    </Card>
  );
}

export function PauseList({ summary: { pauses, words }, stage }: DeliveryListProps) {
  const spans = useMemo(
    () =>
      (pauses?.spans ?? [])
        .toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs))
        .map(({ startMs, endMs, kind }) => ({
          place: placeOfPause(startMs, endMs, words),
          label: `${((endMs - startMs) / 1000).toFixed(1)} s at ${formatDuration(startMs)}${kind === PauseKind.LONG ? ", long" : ""}`,
        })),
    [pauses, words],
  );
  const longCount = pauses?.longCount ?? 0;
  const lead =
    spans.length === 0
      ? "None of 0.3 s or more."
      : `${spans.length} of 0.3 s or more, ${longCount === 0 ? "none" : longCount} of 2 s or more; the longest first.`;
  return (
    <Card title="Pauses" lead={lead}>
      <Places stage={stage} places={spans} />
    </Card>
  );
}

interface PlacesProps {
  readonly stage: ReportStage;
  readonly places: readonly { readonly label: string; readonly place: Parameters<ReportStage["show"]>[0] }[];
}

function Places({ stage, places }: PlacesProps) {
  const [isWhole, setIsWhole] = useState(false);
  if (places.length === 0) return null;
  const shown = isWhole ? places : places.slice(0, shownAtFirst);
  return (
    <>
      <ul role="list" class="evidence in-columns">
        {shown.map(({ label, place }, index) => (
          <li key={index}>
            <CiteButton stage={stage} place={place}>
              {label}
            </CiteButton>
          </li>
        ))}
      </ul>
      {places.length > shownAtFirst && (
        <Button size="small" kind="quiet" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${places.length}`}
        </Button>
      )}
    </>
  );
}

/** `um 3 times, like once`, the most frequent first. */
function countByText(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([text, count]) => `“${text}” ${count === 1 ? "once" : count === 2 ? "twice" : `${count} times`}`)
    .join(", ");
}
