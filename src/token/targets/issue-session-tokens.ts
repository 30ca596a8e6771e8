/** All the tokens of one participant in one room, one for each target. Decides nothing: what they may grant is in `entry`. */
import type { JwtSettings } from "../keys/jwt-settings.ts";
import type { SessionTarget } from "../refresh/refresh-token.ts";
import type { Entry } from "../rooms/enter-room.ts";
import { privilegesOf } from "./jitsi/choose-privileges.ts";
import { issueJitsiToken, jitsiTtlSeconds } from "./jitsi/issue-token.ts";
import type { IssuedJitsiToken } from "./jitsi/issue-token.ts";
import type { JitsiSettings } from "./jitsi/jitsi-settings.ts";
import { issueLiveKitToken, liveKitTtlSeconds } from "./livekit/issue-token.ts";
import type { LiveKitSettings } from "./livekit/issue-token.ts";
import { roomConfigOf } from "./livekit/room-config.ts";
import { issueSfuToken, sfuTtlSeconds } from "./sfu/issue-token.ts";
import type { SfuSettings } from "./sfu/issue-token.ts";
import { issueTranscriptionToken } from "./transcription/issue-token.ts";
import type { IssuedToken } from "./transcription/issue-token.ts";

export interface TargetSettings {
  readonly jwt: JwtSettings;
  /** Absent, like the others: not configured. */
  readonly livekit?: LiveKitSettings;
  readonly jitsi?: JitsiSettings;
  readonly sfu?: SfuSettings;
}

export interface SessionTokensRequest {
  readonly entry: Entry;
  /** Each of them configured. */
  readonly targets: readonly SessionTarget[];
  /** Name to show to others. */
  readonly participantName?: string;
  readonly participantEmail?: string;
  /** What they have in common with the refresh token that comes with them. */
  readonly familyId: string;
}

export interface SessionTokens {
  readonly livekit?: IssuedToken;
  readonly transcription?: IssuedToken;
  readonly jitsi?: IssuedJitsiToken;
  readonly sfu?: IssuedToken;
}

/** Throws TokenRequestError `invalid` when a target cannot have a room of that name. */
export function issueSessionTokens(
  request: SessionTokensRequest,
  settings: TargetSettings,
  nowMs: number,
): SessionTokens {
  const { entry, targets, participantName, participantEmail, familyId } = request;
  const { jwt, livekit, jitsi, sfu } = settings;
  const asked = (target: SessionTarget) => targets.includes(target);
  const name = participantName === undefined ? {} : { participantName };
  const roomConfig = entry.room && roomConfigOf(entry.room);
  return {
    ...(asked("transcription") && {
      transcription: issueTranscriptionToken(
        { ...entry, familyId, ttlSeconds: jwt.expirySeconds },
        jwt,
        nowMs,
      ),
    }),
    ...(livekit &&
      asked("livekit") && {
        livekit: issueLiveKitToken(
          {
            ...entry,
            ...name,
            ...(roomConfig && { roomConfig: { ...roomConfig } }),
            ttlSeconds: liveKitTtlSeconds,
          },
          livekit,
          nowMs,
        ),
      }),
    ...(jitsi &&
      asked("jitsi") && {
        jitsi: issueJitsiToken(
          {
            roomName: entry.roomName,
            user: {
              id: entry.userId,
              name: participantName ?? entry.participantIdentity,
              ...(participantEmail !== undefined && { email: participantEmail }),
            },
            privileges: privilegesOf(entry.userType),
            ttlSeconds: jitsiTtlSeconds,
          },
          jitsi,
          nowMs,
        ),
      }),
    ...(sfu &&
      asked("sfu") && {
        sfu: issueSfuToken(
          {
            ...entry,
            ...(participantEmail !== undefined && { email: participantEmail }),
            ttlSeconds: sfuTtlSeconds,
          },
          sfu,
          nowMs,
        ),
      }),
  };
}
