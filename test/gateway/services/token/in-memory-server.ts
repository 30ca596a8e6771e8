/**
 * The three services with the interceptors of the real server and a throw-away database, reached through Connect's
 * in-memory transport. Only the speech engine is a scripted one, and hears nothing.
 */
import type { DescService } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import type { Client, ConnectRouter, Interceptor } from "@connectrpc/connect";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Interviews } from "../../../../src/analysis/interviews.ts";
import type { ProgressSource } from "../../../../src/analysis/measure-progress.ts";
import { UserModules } from "../../../../src/analysis/user-modules.ts";
import { openPgBossQueue } from "../../../../src/analysis/jobs/pg-boss-queue.ts";
import { systemClock } from "../../../../src/clock.ts";
import { credentialsInterceptor } from "../../../../src/gateway/interceptors/credentials.ts";
import { deadlineInterceptor } from "../../../../src/gateway/interceptors/deadline.ts";
import { errorsInterceptor } from "../../../../src/gateway/interceptors/errors.ts";
import { requestIdInterceptor } from "../../../../src/gateway/interceptors/request-id.ts";
import { validationInterceptor } from "../../../../src/gateway/interceptors/validation.ts";
import { analysisService } from "../../../../src/gateway/services/analysis/analysis-service.ts";
import { tokenService } from "../../../../src/gateway/services/token/token-service.ts";
import { transcriptionService } from "../../../../src/gateway/services/transcription/transcription-service.ts";
import { openStorage } from "../../../../src/storage/open-storage.ts";
import type { Storage } from "../../../../src/storage/open-storage.ts";
import { makeApiKey } from "../../../../src/token/api-keys/api-key.ts";
import type { ApiKeyScope } from "../../../../src/token/api-keys/api-key-store.ts";
import type { JwtSettings } from "../../../../src/token/keys/jwt-settings.ts";
import type { LiveKitSettings } from "../../../../src/token/targets/livekit/issue-token.ts";
import type { RevocationSelector } from "../../../../src/token/revocation/revocation-store.ts";
import { auditInterceptor } from "../../../../src/gateway/interceptors/audit.ts";
import { statsInterceptor } from "../../../../src/gateway/interceptors/stats.ts";
import { CallStats } from "../../../../src/gateway/stats/call-stats.ts";
import { AuditLog } from "../../../../src/token/audit/audit-log.ts";
import { Repeats } from "../../../../src/token/audit/fold-repeats.ts";
import { CredentialVerifier } from "../../../../src/token/credentials/credential-verifier.ts";
import { RefreshTokens } from "../../../../src/token/refresh/refresh-tokens.ts";
import { jitsiSecretKey } from "../../../../src/token/targets/jitsi/jitsi-settings.ts";
import type { JitsiSettings } from "../../../../src/token/targets/jitsi/jitsi-settings.ts";
import type { SfuSettings } from "../../../../src/token/targets/sfu/issue-token.ts";
import { Rooms } from "../../../../src/token/rooms/rooms.ts";
import { Revocations } from "../../../../src/token/revocation/revocations.ts";
import { issueTranscriptionToken } from "../../../../src/token/targets/transcription/issue-token.ts";
import { issueUserToken } from "../../../../src/token/users/user-token.ts";
import { verifyOwnToken } from "../../../../src/token/credentials/verify-credential.ts";
import { EngineChoice } from "../../../../src/transcription/engines/engine-choice.ts";
import { defaultSessionLimits } from "../../../../src/transcription/session/session-options.ts";
import { LiveSessions } from "../../../../src/transcription/session/live-sessions.ts";
import { StreamLimits } from "../../../../src/transcription/session/stream-limits.ts";
import { measureSegments, summarize } from "../../../../src/transcription/session/summarize.ts";
import { Watches } from "../../../../src/transcription/watch/watches.ts";
import { createScriptedEngine } from "../../../fakes/scripted-engine.ts";
import { silentLog } from "../../../storage/silent-log.ts";
import { settings } from "../../../token/make-token.ts";

export const livekit: LiveKitSettings = {
  url: "wss://live.example.com",
  apiKey: "APIkey",
  apiSecret: "a-livekit-secret-of-32-bytes-at-least",
};
export const jitsi: JitsiSettings = {
  domain: "meet.example.com",
  appId: "app",
  key: jitsiSecretKey("a-jitsi-secret-of-32-bytes-at-least!"),
};
export const sfu: SfuSettings = {
  url: "wss://sfu.example.com",
  jwtSecret: "an-sfu-secret-of-32-bytes-at-least!!",
};
export const fixedAnalysisKey = "the-fixed-service-key-of-an-old-app";

export interface InMemoryServerOptions {
  readonly jwt?: JwtSettings;
  readonly livekit?: LiveKitSettings;
  readonly jitsi?: JitsiSettings;
  readonly sfu?: SfuSettings;
  readonly storage?: Storage;
  /** What the services are registered on besides; for a real listener. */
  readonly interceptors?: readonly Interceptor[];
}

export interface InMemoryServer {
  readonly storage: Storage;
  /** The server's time; starts as the real one. */
  time: { nowMs: number };
  /** What was refused and why, as an operator sees it. */
  readonly refused: { method: string; code: string }[];
  /** What went wrong inside. */
  readonly internalErrors: { errorId: string; method: string; error: unknown }[];
  /** Whose streams were to be ended. */
  readonly endedStreams: RevocationSelector[];
  /** Who was to be removed from LiveKit. */
  readonly removed: RevocationSelector[];
  readonly routes: (router: ConnectRouter) => void;
  readonly interceptors: Interceptor[];
  client<S extends DescService>(service: S, credential?: string, format?: "binary" | "json"): Client<S>;
  user(userId: string): string;
  participant(userId: string, roomName?: string): string;
  /** A new API key. */
  service(...scopes: ApiKeyScope[]): Promise<string>;
  close(): Promise<void>;
}

export async function startInMemoryServer(options: InMemoryServerOptions = {}): Promise<InMemoryServer> {
  const jwt = options.jwt ?? settings;
  const storage = options.storage ?? (await openStorage({ dataDir: "memory:", log: silentLog }));
  const time = { nowMs: Date.now() };
  const refused: InMemoryServer["refused"] = [];
  const internalErrors: InMemoryServer["internalErrors"] = [];
  const queue = await openPgBossQueue({
    database: storage.jobsDatabase,
    kind: storage.kind,
    onProblem: () => undefined,
  });
  const interviews = new Interviews({
    store: storage.interviews,
    queue,
    async loadSession(sessionId) {
      const session = await storage.sessions.get(sessionId);
      if (!session) return undefined;
      const { words, figures } = summarize(session, await storage.sessions.segments(sessionId), []);
      return { ...session, hasEnded: session.state === "ended", words, figures };
    },
    clock: systemClock,
  });
  await interviews.start();
  const watches = new Watches({
    log: storage.sessionEvents,
    store: storage.sessions,
    notices: storage.notices,
    clock: systemClock,
    maxUnreadBytes: defaultSessionLimits.maxUnreadBytes,
    onProblem: () => undefined,
  });
  watches.start();
  const sessions = new LiveSessions({
    store: storage.sessions,
    engines: new EngineChoice([createScriptedEngine({ script: [] })], systemClock),
    limits: defaultSessionLimits,
    clock: systemClock,
    queueAnalysis: (session) => interviews.requestForEndingSession(session),
    onProblem: () => undefined,
  });
  const endedStreams: RevocationSelector[] = [];
  const clock = { ...systemClock, now: () => time.nowMs };
  const removed: RevocationSelector[] = [];
  const revocations: Revocations = new Revocations({
    store: storage.revocations,
    notices: storage.notices,
    clock,
    endStreams(selector) {
      credentials.forget();
      watches.revoke(selector);
      return endedStreams.push(selector);
    },
    onProblem: () => undefined,
  });
  const credentials = new CredentialVerifier({
    jwt,
    apiKeys: storage.apiKeys,
    revocations,
    fixedAnalysisKey,
    clock,
    notices: storage.notices,
  });
  await revocations.start();
  const refreshTokens = new RefreshTokens({
    jwt,
    store: storage.refresh,
    revocations,
    clock,
    onProblem: () => undefined,
  });
  const auditLog = new AuditLog({ store: storage.audit, clock: systemClock, onProblem: () => undefined });
  const repeats = new Repeats({ sink: auditLog, clock: systemClock });
  const stats = new CallStats(clock.now);
  const routes = (router: ConnectRouter) => {
    router.service(
      TokenService,
      tokenService({
        jwt,
        ...(options.livekit && { livekit: options.livekit }),
        ...(options.livekit && {
          removeParticipants: (selector: RevocationSelector) => Promise.resolve(removed.push(selector)),
        }),
        ...(options.jitsi && { jitsi: options.jitsi }),
        ...(options.sfu && { sfu: options.sfu }),
        rooms: storage.rooms,
        roomService: new Rooms({
          store: storage.rooms,
          revoke: (selector) => revocations.revoke(selector),
          now: clock.now,
        }),
        apiKeys: storage.apiKeys,
        apiKeyRevoked: () => credentials.apiKeyRevoked(),
        revocations,
        refreshTokens,
        audit: storage.audit,
        auditLog,
        stats,
        activeRoomCount: () => sessions.roomCount,
        now: () => time.nowMs,
      }),
    );
    router.service(
      TranscriptionService,
      transcriptionService({
        sessions,
        watches,
        store: storage.sessions,
        rooms: storage.rooms,
        apiKeys: storage.apiKeys,
        clock: systemClock,
        streamLimits: new StreamLimits(),
        maxIdleMs: defaultSessionLimits.maxIdleMs,
        isRevoked: (caller) => revocations.isRevoked(caller),
        verifyToken: (token) => revocations.check(verifyOwnToken(token, jwt, time.nowMs)),
      }),
    );
    const userModules = new UserModules({ store: storage.userModules, now: clock.now });
    const progress: ProgressSource = {
      async listSessions({ userId, after, limit }) {
        const filter = { userId, hasEnded: true, ...(after && { after }) } as const;
        const { items } = await storage.sessions.list(filter, { size: limit });
        return items.map((session) => ({
          ...session,
          measure: async () => measureSegments(await storage.sessions.segments(session.sessionId), session),
        }));
      },
      scoresOf: (sessionIds) => storage.interviews.overallScores(sessionIds),
    };
    router.service(AnalysisService, analysisService({ interviews, userModules, progress }));
  };
  const interceptors = [
    requestIdInterceptor(),
    statsInterceptor(stats),
    errorsInterceptor({
      onInternalError: (errorId, method, error) => internalErrors.push({ errorId, method, error }),
    }),
    auditInterceptor({ sink: auditLog, repeats, clock: systemClock, onProblem: () => undefined }),
    credentialsInterceptor({
      verify: (credential) => credentials.verify(credential),
      onRefused: ({ method, code }) => refused.push({ method, code }),
    }),
    validationInterceptor(),
    deadlineInterceptor(),
  ];
  return {
    storage,
    time,
    refused,
    internalErrors,
    endedStreams,
    removed,
    routes,
    interceptors,
    client(service, credential, format = "binary") {
      const authorize: Interceptor = (next) => (request) => {
        if (credential !== undefined) request.header.set("authorization", `Bearer ${credential}`);
        return next(request);
      };
      return createClient(
        service,
        createRouterTransport(routes, {
          router: { interceptors },
          transport: { interceptors: [authorize], useBinaryFormat: format === "binary" },
        }),
      );
    },
    user: (userId) => issueUserToken({ userId, ttlSeconds: 3600 }, jwt, time.nowMs).token,
    participant: (userId, roomName = "room") =>
      issueTranscriptionToken(
        { userId, roomName, participantIdentity: userId, userType: "host", ttlSeconds: 3600 },
        jwt,
        time.nowMs,
      ).token,
    async service(...scopes) {
      const { key, stored } = makeApiKey({ displayName: scopes.join(), scopes }, time.nowMs);
      await storage.apiKeys.create(stored);
      return key;
    },
    async close() {
      await sessions.stop(0);
      await revocations.stop();
      credentials.stop();
      repeats.stop();
      await auditLog.stop(1000);
      await queue.stop();
      if (options.storage === undefined) await storage.close();
    },
  };
}
