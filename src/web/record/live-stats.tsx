/** What is counted while somebody speaks. */
import { currentPace } from "../../delivery/current-pace.ts";
import { Stat } from "../ui/stat.tsx";
import { judgePace } from "./describe-pace.ts";
import type { LiveFigures } from "./live-figures.ts";

export function LiveStats({ figures }: { readonly figures: LiveFigures }) {
  const pace = currentPace(figures.pace.value)?.wordsPerMinute;
  const counts = figures.counts.value;
  const fillers = counts?.fillersDetectable === false ? "—" : (counts?.fillerCount ?? 0);
  return (
    <dl class="stats">
      <Stat
        label="Pace now"
        value={pace === undefined ? "—" : Math.round(pace)}
        unit="words/min"
        note={pace === undefined ? "after 15 s" : judgePace(pace)}
      />
      <Stat label="Words" value={counts?.totalWords ?? 0} />
      <Stat
        label="Fillers"
        value={fillers}
        {...(counts?.fillersDetectable === false && { note: "this engine may drop them" })}
      />
      <Stat
        label="Pauses"
        value={counts?.pauseCount ?? 0}
        note={
          counts && counts.longPauseCount > 0 ? `${counts.longPauseCount} of 2 s or more` : "of 0.3 s or more"
        }
      />
    </dl>
  );
}
