/** The series as a table: a row for each session, the newest first, and a column for each figure. */
import type { ProgressSeries } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { hrefOf } from "../routing/route.ts";
import { formatNumber, formatTime } from "../ui/format.ts";
import { titleOf } from "./title-of.ts";
import { toRows } from "./to-rows.ts";

export function ProgressTable({ series }: { readonly series: readonly ProgressSeries[] }) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Figures of each session">
      <table>
        <thead>
          <tr>
            <th scope="col">Session</th>
            {series.map(({ figure, unit }) => (
              <th key={figure} scope="col">
                {titleOf(figure)}
                {unit !== "" && <span class="hint"> {unit}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {toRows(series).map(({ sessionId, time, values }) => (
            <tr key={sessionId}>
              <th scope="row">
                <a href={hrefOf({ view: "report", sessionId })}>{formatTime(time)}</a>
              </th>
              {values.map((value, index) => (
                <td key={series[index]?.figure}>{value === undefined ? "–" : formatNumber(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
