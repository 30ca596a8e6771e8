/** Something that the report says, as a button that shows where in the session it is; as plain words where it is about the whole. */
import type { ComponentChildren } from "preact";
import { announce } from "../ui/announcer.tsx";
import { Icon } from "../ui/icon.tsx";
import type { CitedPlace } from "./cited-place.ts";
import type { ReportStage } from "./report-stage.ts";

export interface CiteButtonProps {
  readonly stage: ReportStage;
  /** Undefined: the whole. */
  readonly place: CitedPlace | undefined;
  readonly children: ComponentChildren;
}

export function CiteButton({ stage, place, children }: CiteButtonProps) {
  if (!place) return <span class="cite">{children}</span>;
  const isShown = stage.place.value === place;
  const canPlay = stage.player.value !== undefined;
  const show = () => {
    stage.show(place);
    announce(
      canPlay
        ? "Marked in the transcript, and playing."
        : "Marked in the transcript. This browser does not have the sound.",
    );
  };
  return (
    <button
      type="button"
      class="cite"
      aria-pressed={isShown}
      title={canPlay ? "See and hear it" : "See it in the transcript"}
      onClick={show}
    >
      <Icon name={canPlay ? "play" : "next"} />
      <span>{children}</span>
    </button>
  );
}
