/** What each user type may do: the one table behind LiveKit grants and Parley's own rights. */
import type { UserType } from "./room-store.ts";

export interface UserTypeRights {
  /** May send audio to Transcribe. */
  readonly speak: boolean;
  /** May read the room's captions. */
  readonly watch: boolean;
  readonly livekit: {
    readonly canPublish: boolean;
    readonly canSubscribe: boolean;
    readonly canPublishData: boolean;
    /** Absent: all. */
    readonly canPublishSources?: readonly ("camera" | "microphone" | "screen_share" | "screen_share_audio")[];
  };
}

const everything = { canPublish: true, canSubscribe: true, canPublishData: true } as const;

export const userTypeRights: Readonly<Record<UserType, UserTypeRights>> = {
  host: { speak: true, watch: true, livekit: everything },
  presenter: { speak: true, watch: true, livekit: everything },
  guest: {
    speak: true,
    watch: true,
    livekit: { ...everything, canPublishSources: ["camera", "microphone"] },
  },
  viewer: {
    speak: false,
    watch: true,
    livekit: { canPublish: false, canSubscribe: true, canPublishData: false },
  },
};
