/** Sessions, captions and figures as messages of parley.transcription.v1. Computes nothing. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PauseKind } from "../../../../gen/ts/parley/transcription/v1/delivery_pb.ts";
import {
  AudioGapReason,
  SessionEndReason,
  SessionState,
  SpeechState,
  WarningCode,
  WordTimes,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  AudioGapSchema,
  SessionSchema,
  SessionSummarySchema,
  TranscribeResponseSchema,
  TranscriptSchema,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { AudioGap, StoredSession } from "../../../transcription/session-store.ts";
import type {
  SessionEvent,
  SessionSummary,
  TranscriptEvent,
} from "../../../transcription/session/session-events.ts";
import type { WatchableEvent } from "../../../transcription/watch/watched-event.ts";

type EventInit = NonNullable<MessageInitShape<typeof TranscribeResponseSchema>["event"]>;

export function eventToProto(event: SessionEvent): EventInit {
  if (event.type !== "started") return watchedEventToProto(event);
  const { resumeToken, tokenExpireTime } = event;
  const value = {
    ...startToProto(event),
    resumeToken,
    tokenExpireTime: timestampFromDate(tokenExpireTime),
  };
  return { case: "sessionStarted", value };
}

/** As eventToProto, for others than the speaker. */
export function watchedEventToProto(event: WatchableEvent): EventInit {
  switch (event.type) {
    case "started":
      return { case: "sessionStarted", value: startToProto(event) };
    case "ack":
      return {
        case: "audioAck",
        value: { throughSample: BigInt(event.throughSample), throughMs: event.throughMs },
      };
    case "transcript":
      return { case: "transcript", value: transcriptToProto(event) };
    case "speech":
      return {
        case: "speechActivity",
        value: { state: speechStates[event.state], atMs: event.atMs, channel: event.channel },
      };
    case "delivery":
      return { case: "deliveryUpdate", value: event.figures };
    case "gap":
      return { case: "audioGap", value: gapToProto(event) };
    case "warning":
      return {
        case: "warning",
        value: {
          code: warningCodes[event.code],
          message: event.message,
          ...(event.deadline && { deadlineTime: timestampFromDate(event.deadline) }),
        },
      };
    case "summary":
      return { case: "sessionSummary", value: summaryToProto(event.summary) };
  }
}

function startToProto(event: Extract<WatchableEvent, { type: "started" }>) {
  return {
    sessionId: event.sessionId,
    nextSample: BigInt(event.nextSample),
    epoch: event.epoch,
    engine: event.engine,
    wordTimes: wordTimes[event.wordTimes],
    fillersDetectable: event.fillersDetectable,
    createTime: timestampFromDate(event.createTime),
  };
}

export function summaryToProto(summary: SessionSummary): MessageInitShape<typeof SessionSummarySchema> {
  const { figures, segments } = summary;
  return {
    sessionId: summary.sessionId,
    transcript: segments.map((segment) => segment.text).join(" "),
    duration: figures.durationMs / 1000,
    durationMs: figures.durationMs,
    speakingMs: figures.speakingMs,
    totalWords: figures.totalWords,
    averagePace: figures.averagePace,
    articulationRate: figures.articulationRate,
    paceTimeline: [...figures.paceTimeline],
    fillers: { ...figures.fillers, uses: [...figures.fillers.uses] },
    pauses: {
      ...figures.pauses,
      spans: figures.pauses.spans.map((pause) => ({ ...pause, kind: pauseKinds[pause.kind] })),
    },
    words: [...summary.words],
    transcriptSegments: segments.map((segment) =>
      transcriptToProto({
        ...segment,
        type: "transcript",
        revision: 0,
        isFinal: true,
      }),
    ),
    formulaVersion: figures.formulaVersion,
    interviewId: summary.interviewId ?? "",
    wordTimes: wordTimes[summary.wordTimes],
    engine: summary.engine,
    gaps: summary.gaps.map(gapToProto),
  };
}

export function sessionToProto(session: StoredSession): MessageInitShape<typeof SessionSchema> {
  return {
    sessionId: session.sessionId,
    roomName: session.roomName,
    participantIdentity: session.participantIdentity,
    userId: session.userId,
    state: sessionStates[session.state],
    endReason: session.endReason === undefined ? SessionEndReason.UNSPECIFIED : endReasons[session.endReason],
    languageCode: session.languageCode,
    engine: session.engine,
    createTime: timestampFromDate(session.createTime),
    ...(session.endTime && { endTime: timestampFromDate(session.endTime) }),
    durationMs: session.durationMs,
    committedThroughSample: BigInt(session.committedThrough),
    sampleRateHz: session.sampleRateHz,
    channelCount: session.channelCount,
  };
}

function gapToProto(gap: AudioGap): MessageInitShape<typeof AudioGapSchema> {
  return {
    firstSample: BigInt(gap.firstSample),
    endSample: BigInt(gap.endSample),
    reason: gapReasons[gap.reason],
    ...(gap.channel === undefined ? {} : { channel: gap.channel }),
  };
}

function transcriptToProto(event: TranscriptEvent): MessageInitShape<typeof TranscriptSchema> {
  const { segmentIndex, revision, isFinal, text, words, startMs, endMs, channel } = event;
  return {
    segmentIndex,
    revision,
    isFinal,
    text,
    words: [...words],
    startMs,
    endMs,
    channel,
    wordTimes: wordTimes[event.wordTimes],
  };
}

const wordTimes = { measured: WordTimes.MEASURED, estimated: WordTimes.ESTIMATED } as const;
const speechStates = { started: SpeechState.STARTED, ended: SpeechState.ENDED } as const;
const pauseKinds = { short: PauseKind.SHORT, long: PauseKind.LONG } as const;
const warningCodes = {
  "token-expiring": WarningCode.TOKEN_EXPIRING,
  "server-stopping": WarningCode.SERVER_STOPPING,
  "engine-restarted": WarningCode.ENGINE_RESTARTED,
  "engine-changed": WarningCode.ENGINE_CHANGED,
  "storage-slow": WarningCode.STORAGE_SLOW,
} as const;
const gapReasons = {
  "client-dropped": AudioGapReason.CLIENT_DROPPED,
  "engine-failed": AudioGapReason.ENGINE_FAILED,
  "source-lost": AudioGapReason.SOURCE_LOST,
} as const;
const sessionStates = {
  active: SessionState.ACTIVE,
  interrupted: SessionState.INTERRUPTED,
  ended: SessionState.ENDED,
} as const;
const endReasons = {
  completed: SessionEndReason.COMPLETED,
  "client-gone": SessionEndReason.CLIENT_GONE,
  "client-error": SessionEndReason.CLIENT_ERROR,
  stalled: SessionEndReason.STALLED,
  "token-expired": SessionEndReason.TOKEN_EXPIRED,
  "engine-failed": SessionEndReason.ENGINE_FAILED,
  "server-stopped": SessionEndReason.SERVER_STOPPED,
  "server-error": SessionEndReason.SERVER_ERROR,
} as const;
