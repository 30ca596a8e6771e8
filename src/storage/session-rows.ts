/** Rows of sessions, finals and gaps as the parts know them. */
import type { Selectable } from "kysely";
import type {
  AudioGap,
  SessionEndReason,
  StoredSegment,
  StoredSession,
} from "../transcription/session-store.ts";
import type { AudioGapTable, SegmentTable, SessionTable } from "./tables.ts";

export function toSession(row: Selectable<SessionTable>): StoredSession {
  return {
    sessionId: row.session_id,
    roomName: row.room_name,
    participantIdentity: row.participant_identity,
    userId: row.user_id,
    sampleRateHz: row.sample_rate_hz,
    channelCount: row.channel_count,
    languageCode: row.language_code,
    engine: row.engine,
    wordTimes: row.word_times as StoredSession["wordTimes"],
    fillers: row.fillers as StoredSession["fillers"],
    createTime: row.create_time,
    state: row.state as StoredSession["state"],
    epoch: row.epoch,
    committedThrough: row.committed_through,
    durationMs: row.duration_ms ?? Math.floor((row.committed_through * 1000) / row.sample_rate_hz),
    ...(row.end_reason !== null && { endReason: row.end_reason as SessionEndReason }),
    ...(row.end_time !== null && { endTime: row.end_time }),
    ...(row.interview_id !== null && { interviewId: row.interview_id }),
  };
}

export function toSegment(row: Selectable<SegmentTable> & { session_word_times: string }): StoredSegment {
  return {
    segmentIndex: row.segment_index,
    channel: row.channel,
    startSample: row.start_sample,
    endSample: row.end_sample,
    startMs: row.start_ms,
    endMs: row.end_ms,
    text: row.text,
    words: row.words as StoredSegment["words"],
    voiced: row.voiced as StoredSegment["voiced"],
    finalNumber: row.final_number ?? row.segment_index + 1,
    wordTimes: (row.word_times ?? row.session_word_times) as StoredSegment["wordTimes"],
  };
}

export function toGap(row: Selectable<AudioGapTable>): AudioGap {
  return {
    firstSample: row.first_sample,
    endSample: row.end_sample,
    reason: row.reason as AudioGap["reason"],
    ...(row.channel >= 0 && { channel: row.channel }),
  };
}
