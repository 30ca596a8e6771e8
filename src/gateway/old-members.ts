/**
 * What old REST clients send and read under other names than the RPCs have. Owns these names alone; in a request a field that
 * is sent wins over its old name, and in an answer both are there.
 */
import {
  AnalyzeInterviewRequestSchema,
  SaveUserModuleRequestSchema,
} from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { CreateSessionTokensResponseSchema } from "../../gen/ts/parley/token/v1/token_pb.ts";
import type { OldMember } from "./rest/old-members.ts";

export const oldMembers: Readonly<Record<string, readonly OldMember[]>> = {
  // The old backend's TokenResponseDto, of which its app cannot do without any member.
  [CreateSessionTokensResponseSchema.typeName]: [{ member: "url", field: "livekit_url" }],
  // The AnalyzeInterviewDto of the old backend: it knew people by their names in the room, and brought the transcript along.
  // Beside a session of this server both say less than the session does.
  [AnalyzeInterviewRequestSchema.typeName]: [
    { member: "participantIdentity", field: "user_id", unless: ["session_id"] },
    { member: "participant_identity", field: "user_id", unless: ["session_id"] },
    { member: "sessionData.transcript", field: "candidate_answer", unless: ["session_id"] },
    { member: "session_data.transcript", field: "candidate_answer", unless: ["session_id"] },
  ],
  // The old analyzer's SaveModuleRequest, whose `content` is the whole module. A title or notes beside it are not kept.
  [SaveUserModuleRequestSchema.typeName]: [
    { member: "module_id", field: "module_name" },
    { member: "content", field: "document" },
  ],
};
