/** What each user type may do: the one table behind LiveKit grants, Jitsi moderation and features, and Parley's own rights. */
import { jitsiFeatures } from "../targets/jitsi/features.ts";
import type { JitsiFeature } from "../targets/jitsi/features.ts";
import type { UserType } from "./room-store.ts";

export const liveKitSources = ["camera", "microphone", "screen_share", "screen_share_audio"] as const;
export type LiveKitSource = (typeof liveKitSources)[number];

export interface UserTypeRights {
  /** May send audio to Transcribe. */
  readonly speak: boolean;
  /** May read the room's captions. */
  readonly watch: boolean;
  /** The most that a token for LiveKit may grant. */
  readonly livekit: {
    readonly canPublish: boolean;
    readonly canSubscribe: boolean;
    readonly canPublishData: boolean;
    /** Only when it is asked for by name. */
    readonly canUpdateOwnMetadata: boolean;
    /** Absent: all. */
    readonly canPublishSources?: readonly LiveKitSource[];
  };
  /** The most that a token for Jitsi may grant. It knows no grant to speak: a viewer is silent there by the meeting's moderation. */
  readonly jitsi: {
    /** May be a moderator, who has every feature that the token does not list. */
    readonly moderator: boolean;
    readonly features: Readonly<Record<JitsiFeature, boolean>>;
  };
}

const publishing = {
  canPublish: true,
  canSubscribe: true,
  canPublishData: true,
  canUpdateOwnMetadata: true,
} as const;

const talking = [
  "calendar",
  "create-polls",
  "file-upload",
  "flip",
  "send-groupchat",
  "send-private-message",
] as const;

export const userTypeRights: Readonly<Record<UserType, UserTypeRights>> = {
  host: {
    speak: true,
    watch: true,
    livekit: publishing,
    jitsi: { moderator: true, features: only(jitsiFeatures) },
  },
  presenter: {
    speak: true,
    watch: true,
    livekit: publishing,
    jitsi: { moderator: false, features: only([...talking, "screen-sharing"]) },
  },
  guest: {
    speak: true,
    watch: true,
    livekit: { ...publishing, canUpdateOwnMetadata: false, canPublishSources: ["camera", "microphone"] },
    jitsi: { moderator: false, features: only(talking) },
  },
  viewer: {
    speak: false,
    watch: true,
    livekit: { canPublish: false, canSubscribe: true, canPublishData: false, canUpdateOwnMetadata: false },
    jitsi: { moderator: false, features: only([]) },
  },
};

function only(allowed: readonly JitsiFeature[]): Record<JitsiFeature, boolean> {
  const entries = jitsiFeatures.map((feature) => [feature, allowed.includes(feature)]);
  return Object.fromEntries(entries) as Record<JitsiFeature, boolean>;
}
