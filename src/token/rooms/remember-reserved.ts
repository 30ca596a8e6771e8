/** The same rooms; a name that this process has reserved a moment ago is not written again, so that minting need not wait. */
import { RecentMap } from "../../recent-map.ts";
import type { RoomStore } from "./room-store.ts";

/** `maxCount`: how many names are remembered. */
export function rememberReserved(store: RoomStore, maxCount = 10_000): RoomStore {
  const reserved = new RecentMap<true>(maxCount);
  return {
    ...store,
    async reserve(roomName, now) {
      if (reserved.get(roomName)) return;
      await store.reserve(roomName, now);
      reserved.set(roomName, true);
    },
  };
}
