/** Who is in the room, as far as they have spoken. */
import type { Participant } from "./room-captions.ts";
import { SpeakerMark } from "./speaker-mark.tsx";

export function Participants({ people }: { readonly people: readonly Participant[] }) {
  if (people.length === 0)
    return <p class="soft small">Whoever records in this room appears here with the first word.</p>;
  return (
    <ul class="participants" role="list">
      {people.map((person) => (
        <li key={person.identity} class={person.isHere ? "" : "gone"}>
          <SpeakerMark speaker={person} />
          <span class="participant-name">{person.identity}</span>
          <span class="hint">{describe(person)}</span>
        </li>
      ))}
    </ul>
  );
}

function describe({ isHere, isSpeaking, wordCount }: Participant): string {
  if (isSpeaking) return "speaking";
  const words = `${wordCount} ${wordCount === 1 ? "word" : "words"}`;
  return isHere ? words : `left, ${words}`;
}
