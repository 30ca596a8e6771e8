/** Who is in a LiveKit room by a token that was revoked, and has to leave: found room by room, and removed. */
import type { ParticipantInfo, RoomServiceClient } from "livekit-server-sdk";
import type { RevocationSelector } from "../../revocation/revocation-store.ts";
import { LiveKitError, toLiveKitError } from "./livekit-error.ts";
import { userIdAttribute } from "./user-attribute.ts";

export interface RemovalOptions {
  /** From here on nothing more is begun. Milliseconds since the epoch, by `now`. */
  readonly deadlineMs: number;
  readonly now: () => number;
}

export interface Removal {
  readonly removed: number;
  /** The first thing that went wrong; others went on. */
  readonly error?: LiveKitError;
}

export type ParticipantSelector = Exclude<RevocationSelector, { readonly tokenId: string }>;

type Client = Pick<RoomServiceClient, "listRooms" | "listParticipants" | "removeParticipant">;

/** Calls to LiveKit under way at once. */
const concurrency = 8;

/** A room or a participant that is gone meanwhile is no error, and is not counted. Rejects when no room can be looked at. */
export async function removeParticipants(
  client: Client,
  selector: ParticipantSelector,
  options: RemovalOptions,
): Promise<Removal> {
  const work = new BoundedWork(options);
  const roomNames =
    "roomName" in selector ? [selector.roomName] : (await client.listRooms()).map(({ name }) => name);
  const leaving: { readonly roomName: string; readonly identity: string }[] = [];
  await work.each(roomNames, async (roomName) => {
    const found = (await client.listParticipants(roomName)).filter((one) => concerns(selector, one));
    leaving.push(...found.map(({ identity }) => ({ roomName, identity })));
  });
  // LiveKit Cloud refuses tokens with an earlier `nbf` from then on; a server of one's own does not know this field.
  const revokeTokenTs = BigInt(Math.floor(options.now() / 1000));
  let removed = 0;
  await work.each(leaving, async ({ roomName, identity }) => {
    await client.removeParticipant(roomName, identity, { revokeTokenTs });
    removed += 1;
  });
  return { removed, ...(work.error && { error: work.error }) };
}

/**
 * A client that adds `publish=x` to LiveKit's URL joins as `<identity>#x`; a user whose id happens to be such an identity of
 * another's leaves with them, better one too many. An identity stays; the attribute can be changed by a participant who may
 * update their own metadata.
 */
function concerns({ userId }: ParticipantSelector, { identity, attributes }: ParticipantInfo): boolean {
  if (userId === undefined) return true;
  return identity === userId || identity.startsWith(`${userId}#`) || attributes[userIdAttribute] === userId;
}

/** Some calls at once, until the deadline; what one of them fails with does not stop the others. */
class BoundedWork {
  readonly #options: RemovalOptions;
  error: LiveKitError | undefined;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  async each<T>(items: readonly T[], call: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) {
        if (this.#options.now() >= this.#options.deadlineMs) {
          this.error ??= new LiveKitError("unreachable", "LiveKit answers too slowly");
          return;
        }
        await call(item).catch((error: unknown) => this.#note(toLiveKitError(error)));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }

  #note(error: LiveKitError): void {
    if (error.code !== "not-found") this.error ??= error;
  }
}
