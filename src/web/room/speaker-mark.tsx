/** Who speaks: the name, and a disc with its first letters in the speaker's colour, so that neither is needed alone. */
import type { Speaker } from "./room-captions.ts";

const voiceCount = 6;

export function SpeakerMark({ speaker }: { readonly speaker: Speaker }) {
  return (
    <span class={`speaker-mark voice-${(speaker.number % voiceCount) + 1}`} aria-hidden="true">
      {initials(speaker.identity)}
    </span>
  );
}

/** `Ada Lovelace`, `ada.lovelace` and `ada` give `AL`, `AL` and `A`. */
export function initials(identity: string): string {
  const parts = identity.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== "");
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : undefined].map(
    (part) => Array.from(part ?? "")[0],
  );
  return letters.join("").toUpperCase();
}
