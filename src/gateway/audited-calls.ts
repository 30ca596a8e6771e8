/**
 * What the audit log says of each RPC: the one table. An RPC that is missing from it does not compile. A subject is what the
 * call was about, by the names of the proto's fields: never a token, never a secret, and no text but a revocation's reason.
 */
import type { DescEnum, DescMethod, DescService, Message, MessageShape } from "@bufbuild/protobuf";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { RoomAccessSchema, UserTypeSchema } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { TargetSchema, TokenService, ValidityReasonSchema } from "../../gen/ts/parley/token/v1/token_pb.ts";
import type {
  CreateSessionTokensRequest,
  CreateSessionTokensResponse,
} from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  TranscriptFormatSchema,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { SubjectParts } from "../token/audit/name-subject.ts";
import type { Caller } from "../token/caller.ts";

export interface AuditedCall<Request, Response> {
  /** `token.create`. */
  readonly action: string;
  /**
   * Calls that are well answered:
   * - `each` has its event
   * - `folded`: those that repeat within a minute are counted
   * - `none` has one, and of the others only those that are PERMISSION_DENIED
   *
   * All that fail are folded.
   */
  readonly answered: "each" | "folded" | "none";
  /** Whether the answer waits until its event is in the database. Default false. */
  readonly awaited?: true;
  /**
   * Of a unary call or a server's stream its request; of other streams an empty one. `response` is of a unary call that was
   * answered. The request may break its rules.
   */
  readonly subject?: (
    request: Request,
    response: Response | undefined,
    caller: Caller | undefined,
  ) => SubjectParts;
}

type Row<M extends DescMethod> = AuditedCall<MessageShape<M["input"]>, MessageShape<M["output"]>>;
type Table<S extends DescService> = { readonly [K in keyof S["method"]]: Row<S["method"][K]> };

const token: Table<typeof TokenService> = {
  createSessionTokens: {
    action: "token.create",
    answered: "each",
    subject: (request, response) => ({
      ...entryOf(request, response),
      targets: response ? targetsOf(response) : namesOf(TargetSchema, request.targets),
    }),
  },
  createTranscriptionToken: {
    action: "token.create",
    answered: "each",
    subject: (request, response) => ({ ...entryOf(request, response), targets: "TRANSCRIPTION" }),
  },
  createLiveKitToken: {
    action: "token.create",
    answered: "each",
    subject: (request, response) => ({
      ...entryOf(request, response),
      targets: "LIVEKIT",
      grants: Object.entries(request.permissions ?? {}).flatMap(([name, value]) =>
        value === true ? [name] : [],
      ),
    }),
  },
  createJitsiToken: {
    action: "token.create",
    answered: "each",
    subject: ({ roomName, userId, moderator }, _, caller) => ({
      room_name: roomName,
      user_id: userId || ownId(caller),
      targets: "JITSI",
      ...(moderator && { moderator: "true" }),
    }),
  },
  createSfuToken: {
    action: "token.create",
    answered: "each",
    subject: ({ roomName, userId, userType }, _, caller) => ({
      room_name: roomName,
      user_id: userId || ownId(caller),
      user_type: nameOf(UserTypeSchema, userType),
      targets: "SFU",
    }),
  },
  validateToken: {
    action: "token.validate",
    answered: "folded",
    subject: ({ target, roomName }, response) => ({
      target: nameOf(TargetSchema, target),
      room_name: roomName,
      reason: response && nameOf(ValidityReasonSchema, response.reason),
    }),
  },
  refreshToken: {
    action: "token.refresh",
    answered: "each",
    subject: (_, response) =>
      response?.tokens
        ? {
            room_name: response.tokens.roomName,
            participant_identity: response.tokens.participantIdentity,
            targets: targetsOf(response.tokens),
          }
        : {},
  },
  revokeTokens: {
    action: "token.revoke",
    answered: "each",
    awaited: true,
    subject: ({ selector, reason }) => ({ ...selectorOf(selector), reason }),
  },
  createRoom: {
    action: "room.create",
    answered: "each",
    subject: ({ roomName, ownerUserId, access }, response) => ({
      room_name: roomName,
      owner_user_id: response?.room?.ownerUserId ?? ownerUserId,
      access: nameOf(RoomAccessSchema, response?.room?.access ?? access),
    }),
  },
  getRoom: { action: "room.get", answered: "none", subject: roomOf },
  listRooms: { action: "room.list", answered: "none" },
  updateRoom: {
    action: "room.update",
    answered: "each",
    subject: ({ roomName, access, members, maxParticipants, metadata }) => ({
      room_name: roomName,
      access: access && nameOf(RoomAccessSchema, access),
      changed: Object.entries({ access, members, max_participants: maxParticipants, metadata }).flatMap(
        ([name, value]) => (value === undefined ? [] : [name]),
      ),
    }),
  },
  deleteRoom: { action: "room.delete", answered: "each", awaited: true, subject: roomOf },
  getLiveKitStatus: { action: "livekit.status", answered: "none" },
  getStats: { action: "stats.get", answered: "none" },
  createApiKey: {
    action: "api_key.create",
    answered: "each",
    awaited: true,
    subject: ({ scopes }, response) => ({ api_key_id: response?.apiKey?.apiKeyId, scopes }),
  },
  listApiKeys: { action: "api_key.list", answered: "none" },
  revokeApiKey: {
    action: "api_key.revoke",
    answered: "each",
    awaited: true,
    subject: ({ apiKeyId }) => ({ api_key_id: apiKeyId }),
  },
  listAuditEvents: { action: "audit.list", answered: "folded", subject: ({ actor }) => ({ actor }) },
};

const transcription: Table<typeof TranscriptionService> = {
  transcribe: {
    action: "session.transcribe",
    answered: "each",
    subject: (_request, _response, caller) =>
      caller?.kind === "participant"
        ? {
            room_name: caller.roomName,
            participant_identity: caller.participantIdentity,
            token_id: caller.tokenId,
          }
        : {},
  },
  watchSession: {
    action: "session.watch",
    answered: "each",
    subject: ({ selector }) => selectorOf(selector),
  },
  startRoomTranscription: { action: "room.start_transcription", answered: "each", subject: roomOf },
  stopRoomTranscription: { action: "room.stop_transcription", answered: "each", subject: roomOf },
  getSession: { action: "session.get", answered: "none", subject: sessionOf },
  listSessions: { action: "session.list", answered: "none" },
  exportTranscript: {
    action: "session.export",
    answered: "folded",
    subject: (request) => ({ ...sessionOf(request), format: nameOf(TranscriptFormatSchema, request.format) }),
  },
  deleteSession: { action: "session.delete", answered: "each", awaited: true, subject: sessionOf },
};

const analysis: Table<typeof AnalysisService> = {
  analyzeInterview: {
    action: "interview.analyze",
    answered: "each",
    subject: (request, response) => ({ interview_id: response?.interviewId, ...sessionOf(request) }),
  },
  getInterview: { action: "interview.get", answered: "none", subject: interviewOf },
  listInterviews: { action: "interview.list", answered: "none" },
  deleteInterview: { action: "interview.delete", answered: "each", awaited: true, subject: interviewOf },
  watchInterview: { action: "interview.watch", answered: "none", subject: interviewOf },
  getProgress: { action: "progress.get", answered: "none" },
  saveUserModule: { action: "user_module.save", answered: "none" },
  listUserModules: { action: "user_module.list", answered: "none" },
};

/** By full name of the RPC: "parley.token.v1.TokenService.CreateRoom". */
export const auditedCalls: ReadonlyMap<string, AuditedCall<Message, Message>> = new Map([
  ...rows(TokenService, token),
  ...rows(TranscriptionService, transcription),
  ...rows(AnalysisService, analysis),
]);

function rows<S extends DescService>(service: S, table: Table<S>): [string, AuditedCall<Message, Message>][] {
  return service.methods.map((method) => [
    `${service.typeName}.${method.name}`,
    // Each row is called with messages of its own method only.
    table[method.localName as keyof Table<S>] as unknown as AuditedCall<Message, Message>,
  ]);
}

/** Who is to enter which room: as the answer says it, or as far as the request does. */
function entryOf(
  request: Pick<CreateSessionTokensRequest, "roomName" | "participantIdentity"> & { userId?: string },
  response: Pick<CreateSessionTokensResponse, "roomName" | "participantIdentity"> | undefined,
): SubjectParts {
  return {
    room_name: response?.roomName ?? request.roomName,
    participant_identity: response?.participantIdentity ?? request.participantIdentity,
    user_id: request.userId,
  };
}

function targetsOf(tokens: CreateSessionTokensResponse): string[] {
  const { livekitToken, transcriptionToken, jitsiToken, sfuToken } = tokens;
  const made = { LIVEKIT: livekitToken, TRANSCRIPTION: transcriptionToken, JITSI: jitsiToken, SFU: sfuToken };
  return Object.entries(made).flatMap(([name, made]) => (made === "" ? [] : [name]));
}

interface Selector {
  readonly case: keyof typeof selectorNames | undefined;
  readonly value?: string | undefined;
}

function selectorOf({ case: kind, value }: Selector): SubjectParts {
  return kind === undefined ? {} : { [selectorNames[kind]]: value };
}

const selectorNames = {
  tokenId: "token_id",
  userId: "user_id",
  roomName: "room_name",
  sessionId: "session_id",
} as const;

function roomOf({ roomName }: { readonly roomName: string }): SubjectParts {
  return { room_name: roomName };
}

function sessionOf({ sessionId }: { readonly sessionId: string }): SubjectParts {
  return { session_id: sessionId };
}

function interviewOf({ interviewId }: { readonly interviewId: string }): SubjectParts {
  return { interview_id: interviewId };
}

function ownId(caller: Caller | undefined): string | undefined {
  return caller?.kind === "user" ? caller.userId : undefined;
}

function namesOf(schema: DescEnum, values: readonly number[]): string[] {
  return values.map((value) => nameOf(schema, value)).filter((name) => name !== undefined);
}

/** Without the prefix, `HOST`; undefined for zero, and for a number that the enum does not have. */
function nameOf(schema: DescEnum, value: number): string | undefined {
  return value === 0 ? undefined : schema.value[value]?.localName;
}
