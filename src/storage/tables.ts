/** The tables as Kysely sees them. What a column means is said at the store's interface; here is only its type. */
import type { ColumnType, Generated, Kysely } from "kysely";

/** jsonb: written as the text that `json()` makes, read parsed. */
export type Json<T> = ColumnType<T, string, string>;
export type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
type FixedNullableJson<T> = ColumnType<T | null, string | null | undefined, never>;
/** Written once. */
type Fixed<T> = ColumnType<T, T, never>;
type FixedNullable<T> = ColumnType<T | null, T | null | undefined, never>;
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;

export interface SessionTable {
  session_id: Fixed<string>;
  room_name: Fixed<string>;
  participant_identity: Fixed<string>;
  user_id: Fixed<string>;
  sample_rate_hz: Fixed<number>;
  channel_count: Fixed<number>;
  language_code: Fixed<string>;
  /** Change when another engine takes over. */
  engine: string;
  word_times: string;
  fillers: string;
  create_time: Fixed<Date>;
  /** Of the database's clock. */
  touch_time: Generated<Date>;
  state: Generated<string>;
  epoch: Generated<number>;
  committed_through: Generated<number>;
  end_reason: Nullable<string>;
  end_time: Nullable<Date>;
  /** Null until the end. */
  duration_ms: Nullable<number>;
  interview_id: Nullable<string>;
  resume_token_hash: FixedNullable<Uint8Array>;
  stream_options: FixedNullableJson<unknown>;
  sequence_ceiling: Generated<number>;
  /** Of the database's clock; null unless interrupted. */
  interrupt_time: Nullable<Date>;
}

export interface SegmentTable {
  session_id: Fixed<string>;
  segment_index: Fixed<number>;
  channel: Fixed<number>;
  start_sample: Fixed<number>;
  end_sample: Fixed<number>;
  start_ms: Fixed<number>;
  end_ms: Fixed<number>;
  text: Fixed<string>;
  words: Json<unknown>;
  voiced: Json<unknown>;
  final_number: FixedNullable<number>;
  /** Null for segments that are older than the column: then the session's. */
  word_times: FixedNullable<string>;
}

export interface AudioGapTable {
  session_id: Fixed<string>;
  first_sample: Fixed<number>;
  end_sample: Fixed<number>;
  reason: Fixed<string>;
  /** -1: all of them. */
  channel: Fixed<number>;
}

/** How many events the room's log ever had. */
export interface RoomLogTable {
  room_name: Fixed<string>;
  position: number;
}

export interface SessionEventTable {
  room_name: Fixed<string>;
  position: Fixed<number>;
  session_id: Fixed<string>;
  kind: Fixed<string>;
  /** Of a final. */
  segment_index: FixedNullable<number>;
  /** Of a gap. */
  first_sample: FixedNullable<number>;
  channel: FixedNullable<number>;
}

export interface ApiKeyTable {
  api_key_id: Fixed<string>;
  display_name: Fixed<string>;
  scopes: Json<unknown>;
  secret_hash: Fixed<Uint8Array>;
  create_time: Fixed<Date>;
  expire_time: FixedNullable<Date>;
  revoke_time: Nullable<Date>;
}

export interface RoomTable {
  room_name: Fixed<string>;
  /** Changes when a room is made under a reserved name. */
  owner_user_id: string;
  access: string;
  members: Json<unknown>;
  /** Changes when its owner makes the room again. */
  create_time: Date;
  /** 0: no limit. */
  max_participants: number;
  metadata: string;
  lost_rights: Json<unknown>;
  delete_time: Nullable<Date>;
  /** The name as `foldName` makes it. */
  folded_name: Fixed<string>;
}

export interface InterviewTable {
  interview_id: Fixed<string>;
  session_id: FixedNullable<string>;
  user_id: Fixed<string>;
  room_name: FixedNullable<string>;
  case_question: FixedNullable<string>;
  difficulty: FixedNullable<string>;
  candidate_answer: FixedNullable<string>;
  state: string;
  failure_cause: Nullable<string>;
  report: NullableJson<unknown>;
  create_time: Fixed<Date>;
  update_time: Date;
}

export interface RevocationTable {
  kind: Fixed<string>;
  name: Fixed<string>;
  of_user_id: Fixed<string>;
  revoke_time: Date;
  expire_time: Date;
}

export interface UserTable {
  user_id: Fixed<string>;
  issuer: Fixed<string>;
  subject: Fixed<string>;
  display_name: Nullable<string>;
  email: Nullable<string>;
  create_time: Fixed<Date>;
  update_time: Date;
}

export interface RefreshFamilyTable {
  family_id: Fixed<string>;
  generation: number;
  replica_id: string;
  /** Of the database's clock. */
  spend_time: Generated<Date>;
  expire_time: Fixed<Date>;
}

export interface AuditEventTable {
  sequence: Fixed<number>;
  create_time: Fixed<Date>;
  actor: Fixed<string>;
  action: Fixed<string>;
  subject: Fixed<string>;
  outcome: Fixed<string>;
  peer_address: Fixed<string>;
  hash: Fixed<Uint8Array>;
  previous_hash: Fixed<Uint8Array>;
}

/** One row. */
export interface AuditHeadTable {
  sequence: number;
  hash: Uint8Array;
}

export interface UserModuleTable {
  user_id: Fixed<string>;
  module_name: Fixed<string>;
  document: Json<unknown>;
  update_time: Date;
}

export interface Tables {
  sessions: SessionTable;
  segments: SegmentTable;
  audio_gaps: AudioGapTable;
  room_logs: RoomLogTable;
  session_events: SessionEventTable;
  api_keys: ApiKeyTable;
  rooms: RoomTable;
  interviews: InterviewTable;
  revocations: RevocationTable;
  users: UserTable;
  refresh_families: RefreshFamilyTable;
  user_modules: UserModuleTable;
  audit_events: AuditEventTable;
  audit_head: AuditHeadTable;
}

export type Database = Kysely<Tables>;
