/** Each figure over the user's sessions, as small charts of one kind, and the same as a table for who would rather read it. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { clients } from "../session/studio-session.ts";
import { Alert } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { describeError } from "../ui/describe-error.ts";
import { Loading } from "../ui/loading.tsx";
import { chooseSeries } from "./choose-series.ts";
import { ProgressTable } from "./progress-table.tsx";
import { SmallChart } from "./small-chart.tsx";

type State =
  | { readonly status: "loading" }
  | { readonly status: "ready"; readonly series: readonly ProgressSeries[] }
  | { readonly status: "failed"; readonly error: unknown };

export function Progress() {
  const [state, setState] = useState<State>({ status: "loading" });
  const fetchProgress = () => {
    setState({ status: "loading" });
    clients.analysis.getProgress({}).then(
      ({ series }) => setState({ status: "ready", series: chooseSeries(series) }),
      (error: unknown) => setState({ status: "failed", error }),
    );
  };
  useEffect(fetchProgress, []);
  return (
    <Card title="Over time" lead="What each session came to, the oldest first.">
      <Content state={state} onRetry={fetchProgress} />
    </Card>
  );
}

interface ContentProps {
  readonly state: State;
  readonly onRetry: () => void;
}

function Content({ state, onRetry }: ContentProps): ComponentChildren {
  if (state.status === "loading") return <Loading>Fetching your progress…</Loading>;
  if (state.status === "failed") {
    return (
      <Alert
        kind="warning"
        title="Your progress could not be fetched."
        actions={
          <Button size="small" onClick={onRetry}>
            Try again
          </Button>
        }
      >
        {describeError(state.error)}
      </Alert>
    );
  }
  const { series } = state;
  if (series.length === 0)
    return <p class="soft">After two sessions you see here how your pace, pauses and fillers change.</p>;
  return (
    <div class="stack">
      <div class="small-charts">
        {series.map((one) => (
          <SmallChart key={one.figure} series={one} />
        ))}
      </div>
      <details class="as-table">
        <summary>Show as a table</summary>
        <ProgressTable series={series} />
      </details>
    </div>
  );
}
