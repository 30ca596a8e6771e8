/**
 * The configured LiveKit server, as far as Parley has to do with it: whether it answers, the rooms that it shall have, and
 * who has to leave. Loads `livekit-server-sdk` when it is first needed. Nothing here rejects: LiveKit holds up neither a
 * room nor a revocation, and what went wrong is reported.
 */
import type { RoomServiceClient } from "livekit-server-sdk";
import type { RevocationSelector } from "../../revocation/revocation-store.ts";
import type { StoredRoom } from "../../rooms/room-store.ts";
import type { RoomMirror } from "../../rooms/rooms.ts";
import type { LiveKitSettings } from "./issue-token.ts";
import { toLiveKitError } from "./livekit-error.ts";
import type { LiveKitError, LiveKitErrorCode } from "./livekit-error.ts";
import { removeParticipants } from "./remove-participants.ts";

export interface LiveKitServerOptions {
  /** Longest wait for one answer of LiveKit, in milliseconds. Default 3000. */
  readonly timeoutMs?: number;
  /** After so long a removal begins nothing more, in milliseconds. Default 10000. */
  readonly removalTimeoutMs?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Something an operator should see. */
  readonly onProblem: (message: string, error: LiveKitError) => void;
}

export interface LiveKitStatus {
  /** `ok`: it answers, and takes the API key and the secret. */
  readonly state: "ok" | Exclude<LiveKitErrorCode, "not-found">;
  /** Open rooms; 0 unless `ok`. */
  readonly roomCount: number;
  /** Of one round trip, in milliseconds; 0 when it is `unreachable`. */
  readonly latencyMs: number;
}

export class LiveKitServer implements RoomMirror {
  /** As it is configured. */
  readonly url: string;
  readonly #settings: LiveKitSettings;
  readonly #options: LiveKitServerOptions;
  #client: Promise<RoomServiceClient> | undefined;
  #asking: Promise<LiveKitStatus> | undefined;

  constructor(settings: LiveKitSettings, options: LiveKitServerOptions) {
    this.url = settings.url;
    this.#settings = settings;
    this.#options = options;
  }

  /**
   * One question at a time: those who ask meanwhile share its answer. The version is not in it: LiveKit tells that only to
   * who joins a room, or registers as an agent.
   */
  status(): Promise<LiveKitStatus> {
    return (this.#asking ??= this.#askStatus().finally(() => (this.#asking = undefined)));
  }

  /** A room that is open there already stays as it is. LiveKit closes it when nobody comes for a while. */
  async createRoom({ roomName, maxParticipants = 0, metadata = "" }: StoredRoom): Promise<void> {
    await this.#attempt("a room could not be made on LiveKit", (client) =>
      client.createRoom({ name: roomName, maxParticipants, metadata }),
    );
  }

  /** A room that is open there gets new metadata; how many it lets in, LiveKit only changes when it opens the room anew. */
  async updateRoom(before: StoredRoom, after: StoredRoom): Promise<void> {
    const { roomName, metadata = "" } = after;
    if (metadata === (before.metadata ?? "")) return;
    await this.#attempt("a room could not be changed on LiveKit", (client) =>
      client.updateRoomMetadata(roomName, metadata),
    );
  }

  /** Puts everybody out. */
  async deleteRoom(roomName: string): Promise<void> {
    await this.#attempt("a room could not be deleted on LiveKit", (client) => client.deleteRoom(roomName));
  }

  /**
   * Removes who is in a room by a token that is concerned; how many. They can come back as long as their token is good.
   * Nobody is found by the id of a token.
   */
  async removeParticipants(selector: RevocationSelector): Promise<number> {
    if ("tokenId" in selector) return 0;
    const { now, onProblem, removalTimeoutMs = 10_000 } = this.#options;
    const limits = { now, deadlineMs: now() + removalTimeoutMs };
    const { removed, error } = await this.#open()
      .then((client) => removeParticipants(client, selector, limits))
      .catch((failure: unknown) => ({ removed: 0, error: toLiveKitError(failure) }));
    if (error) onProblem("not every participant could be removed from LiveKit", error);
    return removed;
  }

  async #askStatus(): Promise<LiveKitStatus> {
    let startMs = performance.now();
    const latencyMs = () => Math.round(performance.now() - startMs);
    try {
      const client = await this.#open();
      startMs = performance.now();
      const rooms = await client.listRooms();
      return { state: "ok", roomCount: rooms.length, latencyMs: latencyMs() };
    } catch (error) {
      const { code } = toLiveKitError(error);
      const state = code === "not-found" ? "failing" : code;
      return { state, roomCount: 0, latencyMs: state === "unreachable" ? 0 : latencyMs() };
    }
  }

  /** A room that is not open there is no problem. */
  async #attempt(problem: string, call: (client: RoomServiceClient) => Promise<unknown>): Promise<void> {
    try {
      await call(await this.#open());
    } catch (error) {
      const known = toLiveKitError(error);
      if (known.code !== "not-found") this.#options.onProblem(problem, known);
    }
  }

  #open(): Promise<RoomServiceClient> {
    return (this.#client ??= this.#load());
  }

  async #load(): Promise<RoomServiceClient> {
    const { RoomServiceClient } = await import("livekit-server-sdk");
    const { apiKey, apiSecret } = this.#settings;
    const { timeoutMs = 3000 } = this.#options;
    const url = new URL(this.url.replace(/^ws/i, "http"));
    // Without failover: it would ask other regions of LiveKit's cloud one after the other, each as long.
    return new RoomServiceClient(url.href, apiKey, apiSecret, {
      requestTimeout: timeoutMs / 1000,
      failover: false,
    });
  }
}
