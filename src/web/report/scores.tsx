/** The scores of a report, each with what it rests on. */
import { useMemo } from "preact/hooks";
import { Aspect } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Evidence, Report, Score } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Word } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Card } from "../ui/card.tsx";
import { formatNumber } from "../ui/format.ts";
import { CiteButton } from "./cite-button.tsx";
import { placeOf } from "./cited-place.ts";
import type { ReportStage } from "./report-stage.ts";

export const aspectNames: Readonly<Record<Aspect, string>> = {
  [Aspect.UNSPECIFIED]: "Other",
  [Aspect.PACE]: "Pace",
  [Aspect.FILLERS]: "Fillers",
  [Aspect.PAUSES]: "Pauses",
  [Aspect.VARIETY]: "Variety",
  [Aspect.STRUCTURE]: "Structure",
  [Aspect.COVERAGE]: "Answer to the question",
};

export interface ScoresProps {
  readonly report: Report;
  readonly words: readonly Word[];
  readonly stage: ReportStage;
}

export function Scores({ report, words, stage }: ScoresProps) {
  return (
    <Card title="Scores" lead="Press what a score rests on, to see and hear it.">
      <ul role="list" class="scores">
        {report.scores.map((score) => (
          <ScoreRow key={score.aspect} score={score} words={words} stage={stage} />
        ))}
      </ul>
    </Card>
  );
}

function ScoreRow({ score, words, stage }: { readonly score: Score } & Omit<ScoresProps, "report">) {
  const { aspect, value, summary, evidence } = score;
  return (
    <li class="score">
      <div class="score-head">
        <h3>{aspectNames[aspect]}</h3>
        <span class="score-value">
          {value === undefined ? (
            <span class="soft small">not scored</span>
          ) : (
            <>
              {value}
              <span class="soft small"> of 100</span>
            </>
          )}
        </span>
      </div>
      {value !== undefined && <Meter value={value} />}
      <p class="small">{summary}</p>
      <EvidenceList evidence={evidence} words={words} stage={stage} />
    </li>
  );
}

/** The number beside it says the same. */
function Meter({ value }: { readonly value: number }) {
  return (
    <div class="meter" aria-hidden="true">
      <span style={{ width: `${value}%` }} />
    </div>
  );
}

export function EvidenceList({
  evidence,
  words,
  stage,
}: { readonly evidence: readonly Evidence[] } & Omit<ScoresProps, "report">) {
  const places = useMemo(() => evidence.map((each) => placeOf(each, words)), [evidence, words]);
  if (evidence.length === 0) return null;
  return (
    <ul role="list" class="evidence">
      {evidence.map((each, index) => (
        <li key={index}>
          <CiteButton stage={stage} place={places[index]}>
            {each.text}
            {each.figure !== "" && each.figure !== "pace_timeline" && each.value !== undefined && (
              <>
                {": "}
                <strong>{formatNumber(each.value)}</strong> {each.unit}
              </>
            )}
          </CiteButton>
        </li>
      ))}
    </ul>
  );
}
