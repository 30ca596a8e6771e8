/**
 * Tells the replicas of a database in which rooms' logs something was added, and hears it of them. At most twenty notices a
 * second, however many commits there are. Nothing depends on them: who misses one sees it when it looks next.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { maxNoticeBytes } from "../../notices.ts";
import type { Notices } from "../../notices.ts";
import { Pacer } from "../session/pacer.ts";
import { roomTag } from "./cursor.ts";
import type { SessionEventLog } from "./session-event-log.ts";

export interface AppendNoticesOptions {
  readonly log: Pick<SessionEventLog, "onAppended">;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Tags of rooms to whose logs something was added, here or elsewhere. */
  readonly onAppended: (roomTags: readonly string[]) => void;
  /** In any room. */
  readonly onMissed: () => void;
  readonly onProblem: (message: string, error: unknown) => void;
}

const topic = "session-events";
const noticeSchema = z.object({ from: z.string(), rooms: z.array(z.string()) });
const intervalMs = 50;
/** A tag is 16 characters, with its quotes and comma 19; the sender's id and the rest of the JSON are below 100. */
const maxRoomsANotice = Math.floor((maxNoticeBytes - 200) / 19);

export class AppendNotices {
  readonly #options: AppendNoticesOptions;
  readonly #replicaId = randomUUID();
  readonly #pacer: Pacer;
  #untold = new Set<string>();
  #isFailing = false;
  #unsubscribe: (() => void)[] = [];

  constructor(options: AppendNoticesOptions) {
    this.#options = options;
    this.#pacer = new Pacer(
      options.clock,
      () => intervalMs,
      () => void this.#tell(),
    );
  }

  start(): void {
    const { log, notices, onAppended, onMissed } = this.#options;
    this.#unsubscribe = [
      log.onAppended((roomNames) => {
        const tags = roomNames.map(roomTag);
        onAppended(tags);
        for (const tag of tags) this.#untold.add(tag);
        this.#pacer.ask();
      }),
      notices.subscribe(topic, {
        onNotice: (payload) => {
          const { from, rooms } = noticeSchema.parse(JSON.parse(payload));
          if (from !== this.#replicaId) onAppended(rooms);
        },
        onMissed,
      }),
    ];
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#pacer.clear();
    void this.#tell();
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    const { notices, onProblem } = this.#options;
    const tags = [...this.#untold];
    this.#untold = new Set();
    try {
      for (let first = 0; first < tags.length; first += maxRoomsANotice) {
        const rooms = tags.slice(first, first + maxRoomsANotice);
        await notices.publish(topic, JSON.stringify({ from: this.#replicaId, rooms }));
      }
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) onProblem("other replicas are not told what there is to watch", error);
      this.#isFailing = true;
    }
  }
}
