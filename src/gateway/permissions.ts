/**
 * Who may call what: the one table. An RPC that is missing from it does not compile, and stops the server at start. What a
 * caller may touch within an RPC (own data only) is the handler's to check.
 */
import type { DescService } from "@bufbuild/protobuf";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { ApiKeyScope } from "../token/api-keys/api-key-store.ts";
import type { Caller } from "../token/caller.ts";

export interface Permission {
  readonly user?: true;
  readonly participant?: true;
  /** The scope that an API key must have. */
  readonly service?: ApiKeyScope;
  /** Any API key, whatever its scopes. */
  readonly anyService?: true;
  /** No credential in the metadata: the request carries its own. */
  readonly open?: true;
}

type Table<S extends DescService> = Readonly<Record<keyof S["method"], Permission>>;

const anyCaller: Permission = { user: true, participant: true, anyService: true };

const token: Table<typeof TokenService> = {
  createSessionTokens: { user: true, service: "tokens" },
  createTranscriptionToken: { user: true, service: "tokens" },
  createLiveKitToken: { user: true, service: "tokens" },
  createJitsiToken: { user: true, service: "tokens" },
  createSfuToken: { user: true, service: "tokens" },
  validateToken: anyCaller,
  refreshToken: { open: true },
  revokeTokens: { user: true, service: "tokens" },
  createRoom: { user: true, service: "rooms" },
  getRoom: { user: true, service: "rooms" },
  listRooms: { user: true, service: "rooms" },
  updateRoom: { user: true, service: "rooms" },
  deleteRoom: { user: true, service: "rooms" },
  getLiveKitStatus: anyCaller,
  getStats: { service: "stats" },
  createApiKey: { service: "admin" },
  listApiKeys: { service: "admin" },
  revokeApiKey: { service: "admin" },
  listAuditEvents: { service: "admin" },
};

const transcription: Table<typeof TranscriptionService> = {
  transcribe: { participant: true },
  watchSession: { user: true, participant: true, service: "transcripts" },
  startRoomTranscription: { user: true, service: "rooms" },
  stopRoomTranscription: { user: true, service: "rooms" },
  getSession: { user: true, service: "transcripts" },
  listSessions: { user: true, service: "transcripts" },
  exportTranscript: { user: true, service: "transcripts" },
  deleteSession: { user: true, service: "transcripts" },
};

const analysis: Table<typeof AnalysisService> = {
  analyzeInterview: { participant: true, service: "analysis" },
  getInterview: { user: true, service: "analysis" },
  listInterviews: { user: true, service: "analysis" },
  deleteInterview: { user: true, service: "analysis" },
  watchInterview: { user: true, service: "analysis" },
  getProgress: { user: true, service: "analysis" },
  saveUserModule: { user: true },
  listUserModules: { user: true },
};

/** By full name of the RPC: "parley.token.v1.TokenService.CreateRoom". */
export const permissions: ReadonlyMap<string, Permission> = new Map([
  ...rows(TokenService, token),
  ...rows(TranscriptionService, transcription),
  ...rows(AnalysisService, analysis),
]);

/** Throws when a service that is served has an RPC without a row. To be called at start. */
export function checkPermissions(services: readonly DescService[]): void {
  const missing = services
    .flatMap((service) => service.methods.map((method) => `${service.typeName}.${method.name}`))
    .filter((name) => !permissions.has(name));
  if (missing.length > 0) throw new Error(`no permission is stated for ${missing.join(", ")}`);
}

/** Undefined when the caller may; otherwise what would be needed, in words. */
export function missingPermission(permission: Permission, caller: Caller): string | undefined {
  if (caller.kind === "service") {
    if (permission.anyService) return undefined;
    if (permission.service === undefined)
      return `this call is for ${describe(permission)}, not for an API key`;
    return caller.scopes.has(permission.service)
      ? undefined
      : `this call needs an API key with scope "${permission.service}"`;
  }
  return permission[caller.kind]
    ? undefined
    : `this call is for ${describe(permission)}, not for a ${caller.kind} token`;
}

/** Who may, in words: `a user token or an API key with scope "tokens"`. */
export function describe(permission: Permission): string {
  const who = [
    ...(permission.open ? ["anybody"] : []),
    ...(permission.user ? ["a user token"] : []),
    ...(permission.participant ? ["a participant token"] : []),
    ...(permission.anyService ? ["an API key"] : []),
    ...(permission.service === undefined ? [] : [`an API key with scope "${permission.service}"`]),
  ];
  return who.join(" or ");
}

function rows<S extends DescService>(service: S, table: Table<S>): [string, Permission][] {
  return service.methods.flatMap((method) => {
    const permission = (table as Readonly<Record<string, Permission | undefined>>)[method.localName];
    return permission ? [[`${service.typeName}.${method.name}`, permission]] : [];
  });
}
