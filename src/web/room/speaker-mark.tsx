/** A disc with a speaker's first letters, in the speaker's colour: neither is needed alone, and the name stands beside it. */
import { initials } from "./initials.ts";
import type { Speaker } from "./room-captions.ts";

const voiceCount = 6;

export function SpeakerMark({ speaker }: { readonly speaker: Speaker }) {
  return (
    <span class={`speaker-mark voice-${(speaker.number % voiceCount) + 1}`} aria-hidden="true">
      {initials(speaker.identity)}
    </span>
  );
}
