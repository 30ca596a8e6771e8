/** How it went as a whole, and three things to practise. */
import type { Report } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Word } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Card } from "../ui/card.tsx";
import type { ReportStage } from "./report-stage.ts";
import { aspectNames, EvidenceList } from "./scores.tsx";

export interface PracticesProps {
  readonly report: Report;
  readonly words: readonly Word[];
  readonly stage: ReportStage;
}

export function Practices({ report, words, stage }: PracticesProps) {
  const { overallScore, practices } = report;
  return (
    <Card
      title={
        practices.length === 1 ? "One thing to practise" : `${count(practices.length)} things to practise`
      }
      actions={overallScore !== undefined && <Overall score={overallScore} />}
    >
      <ol role="list" class="practices">
        {practices.map(({ aspect, title, advice, evidence }, index) => (
          <li key={index} class="practice">
            <span class="practice-number" aria-hidden="true">
              {index + 1}
            </span>
            <div>
              <p class="soft small">{aspectNames[aspect]}</p>
              <h3>{title}</h3>
              <p>{advice}</p>
              {evidence.length > 0 && (
                <details>
                  <summary>Where it shows</summary>
                  <EvidenceList evidence={evidence} words={words} stage={stage} />
                </details>
              )}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Overall({ score }: { readonly score: number }) {
  return (
    <p class="overall">
      <span class="stat-value">{score}</span> <span class="soft small">of 100 overall</span>
    </p>
  );
}

function count(practices: number): string {
  return ["No", "One", "Two", "Three"][practices] ?? String(practices);
}
