/** One row of a room's captions: who, where it changes, and what; lighter while it may still change. */
import type { RoomRow } from "./room-captions.ts";
import { SpeakerMark } from "./speaker-mark.tsx";

export function RoomCaption({ row }: { readonly row: RoomRow }) {
  const { speaker, text, isFinal, beginsTurn } = row;
  return (
    <div class={beginsTurn ? "room-caption begins" : "room-caption"}>
      {beginsTurn && <SpeakerMark speaker={speaker} />}
      <div>
        <p class={beginsTurn ? "room-speaker" : "visually-hidden"}>{speaker.identity}</p>
        <p class={isFinal ? "room-words" : "room-words interim"}>{text}</p>
      </div>
    </div>
  );
}
