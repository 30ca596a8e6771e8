/** Lets a screen reader read new captions out. Off by default: whoever hears the room would hear everything twice. */
import { effect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { announce } from "../ui/announcer.tsx";
import type { RoomCaptions } from "./room-captions.ts";

export function ReadAloud({ captions }: { readonly captions: RoomCaptions }) {
  const [isOn, setIsOn] = useState(false);
  useEffect(() => {
    if (!isOn) return;
    let isFirst = true; // what was there before was not said just now
    return effect(() => {
      const row = captions.latestFinal.value;
      if (row && !isFirst) announce(row.beginsTurn ? `${row.speaker.identity}: ${row.text}` : row.text);
      isFirst = false;
    });
  }, [isOn]);
  return (
    <label class="check small">
      <input type="checkbox" checked={isOn} onChange={(event) => setIsOn(event.currentTarget.checked)} />
      Read new captions to my screen reader
    </label>
  );
}
