/**
 * The composition root: reads the configuration, builds the parts, hands them to each other, and listens. The only place
 * that knows all of them, and long for that. Run as a program it serves until SIGTERM or SIGINT.
 */
import { join } from "node:path";
import type { Message } from "@bufbuild/protobuf";
import { pino } from "pino";
import type { Logger } from "pino";
import {
  AnalysisService,
  file_parley_analysis_v1_analysis,
} from "../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService, file_parley_token_v1_token } from "../gen/ts/parley/token/v1/token_pb.ts";
import {
  TranscribeRequestSchema,
  TranscriptionService,
  file_parley_transcription_v1_transcription,
} from "../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscribeRequest } from "../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Interviews } from "./analysis/interviews.ts";
import type { ProgressSource } from "./analysis/measure-progress.ts";
import { UserModules } from "./analysis/user-modules.ts";
import { openPgBossQueue } from "./analysis/jobs/pg-boss-queue.ts";
import { systemClock } from "./clock.ts";
import { ConfigError, readConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { createGateway } from "./gateway/create-gateway.ts";
import { indexPage } from "./gateway/index-page.ts";
import type { DependencyHealth } from "./gateway/health/health-monitor.ts";
import { callerKey, credentialsInterceptor } from "./gateway/interceptors/credentials.ts";
import { deadlineInterceptor } from "./gateway/interceptors/deadline.ts";
import { errorsInterceptor } from "./gateway/interceptors/errors.ts";
import { logInterceptor } from "./gateway/interceptors/log.ts";
import type { LogOptions } from "./gateway/interceptors/log.ts";
import { requestIdInterceptor } from "./gateway/interceptors/request-id.ts";
import { validationInterceptor } from "./gateway/interceptors/validation.ts";
import { checkPermissions } from "./gateway/permissions.ts";
import { analysisService } from "./gateway/services/analysis/analysis-service.ts";
import { tokenService } from "./gateway/services/token/token-service.ts";
import { transcriptionService } from "./gateway/services/transcription/transcription-service.ts";
import { createStudio } from "./gateway/studio/create-studio.ts";
import type { StudioOidc } from "./gateway/studio/create-studio.ts";
import { readStudioFiles } from "./gateway/studio/studio-files.ts";
import { openStorage } from "./storage/open-storage.ts";
import type { Storage } from "./storage/open-storage.ts";
import { nameCaller } from "./token/caller.ts";
import { auditInterceptor } from "./gateway/interceptors/audit.ts";
import { rateLimits } from "./gateway/interceptors/rate-limits.ts";
import { statsInterceptor } from "./gateway/interceptors/stats.ts";
import { oldMembers } from "./gateway/old-members.ts";
import { roomSocket } from "./gateway/websocket/json/room-socket.ts";
import { sessionSocket } from "./gateway/websocket/json/session-socket.ts";
import { CallStats } from "./gateway/stats/call-stats.ts";
import { readJitsiSettings, readJwtKeys, readTls } from "./read-key-files.ts";
import { AuditLog } from "./token/audit/audit-log.ts";
import { Repeats } from "./token/audit/fold-repeats.ts";
import { refusalEntry } from "./token/audit/refusal-entry.ts";
import type { CredentialRefusal } from "./token/audit/refusal-entry.ts";
import { CredentialVerifier } from "./token/credentials/credential-verifier.ts";
import { RefreshTokens } from "./token/refresh/refresh-tokens.ts";
import type { RevocationSelector } from "./token/revocation/revocation-store.ts";
import { rememberReserved } from "./token/rooms/remember-reserved.ts";
import { Rooms } from "./token/rooms/rooms.ts";
import { readSfuToken } from "./token/targets/sfu/read-token.ts";
import { LiveKitServer } from "./token/targets/livekit/livekit-server.ts";
import { FirstSight } from "./token/users/first-sight.ts";
import type { IssuerHealth } from "./token/users/oidc/issuer-keys.ts";
import { OidcUsers } from "./token/users/oidc/oidc-users.ts";
import { ProviderOrigins } from "./token/users/oidc/provider-origins.ts";
import { Revocations } from "./token/revocation/revocations.ts";
import { keepDevelopmentKey, readServerSecrets } from "./token/keys/server-secrets.ts";
import { signInForDevelopment } from "./token/users/sign-in-for-development.ts";
import { verifyOwnToken } from "./token/credentials/verify-credential.ts";
import { createDeepgramEngine } from "./transcription/engines/deepgram/deepgram-engine.ts";
import { createOfflineEngine } from "./transcription/engines/offline/offline-engine.ts";
import type { ModelProgress } from "./transcription/engines/offline/model/fetch-models.ts";
import type { SpeechEngine } from "./transcription/engines/speech-engine.ts";
import { EngineChoice } from "./transcription/engines/engine-choice.ts";
import { StreamLimits } from "./transcription/session/stream-limits.ts";
import { announceTakeOvers, heedTakeOvers } from "./transcription/session/take-over-notices.ts";
import { LiveSessions } from "./transcription/session/live-sessions.ts";
import { measureSegments, summarize } from "./transcription/session/summarize.ts";
import { Watches } from "./transcription/watch/watches.ts";

export interface ServerOptions {
  readonly log: Logger;
  /** Keeps everything in memory; for a process that ends soon. Default false. */
  readonly throwAway?: boolean;
  readonly onModelProgress?: (progress: ModelProgress) => void;
  /** In place of the configured one; it must be ready. */
  readonly engine?: SpeechEngine;
  /** Where the studio is built. Default: where `npm run build:web` builds it. */
  readonly studioFolder?: string;
}

export interface Server {
  /** Where it listens, as one reaches it from this machine. */
  readonly url: string;
  /** An API key with every scope; absent in production. */
  readonly developmentApiKey?: string;
  /** Resolves when the offline engine, where it is used, has its models; rejects with what is wrong with them. */
  readonly engineReady: Promise<void>;
  /** Tells streams the deadline, brings their words in safety, and closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** Where the studio is built: beside the compiled server, and in the checkout where the server will be compiled to. */
const defaultStudioFolder = join(
  import.meta.dirname,
  import.meta.filename.endsWith(".ts") ? "../dist/web" : "../web",
);

/** Sessions learn of the end this much before the gateway cuts connections. */
const lastWordsMs = 4_000;

export async function startServer(config: Config, options: ServerOptions): Promise<Server> {
  const { log } = options;
  checkPermissions([TokenService, TranscriptionService, AnalysisService]);
  const tls = config.tls && (await readTls(config.tls)); // before anything is opened that would have to be closed
  const { engines, engineReady } = openEngines(config, options);
  const engineChoice = new EngineChoice(engines, systemClock);
  engineReady.catch((error: unknown) => log.error({ err: error }, "the speech engine is not ready"));

  const eddsa = await readJwtKeys(config);
  const jitsi = await readJitsiSettings(config);
  const secrets = await readServerSecrets(config);
  const { developmentApiKey } = secrets;
  const jwt = { ...secrets.jwt, ...(eddsa && { eddsa }) };
  const storage = await openStorage({
    dataDir: options.throwAway ? "memory:" : config.dataDir,
    ...(config.databaseUrl !== undefined && !options.throwAway && { url: config.databaseUrl }),
    ...(config.redisUrl !== undefined && { redisUrl: config.redisUrl }),
    log,
  });
  if (developmentApiKey !== undefined) await keepDevelopmentKey(storage.apiKeys, developmentApiKey);

  const queue = await openPgBossQueue({
    database: storage.jobsDatabase,
    kind: storage.kind,
    onProblem: (message, error) => log.warn({ err: error }, message),
  });
  const interviews = new Interviews({
    store: storage.interviews,
    queue,
    loadSession: (sessionId) => loadSession(storage, sessionId),
    clock: systemClock,
  });
  await interviews.start();

  const onProblem = (message: string, error: unknown) => log.warn({ err: error }, message);
  const onSessionProblem = (sessionId: string, message: string, error: unknown) =>
    log.warn({ sessionId, err: error }, message);
  const watches = new Watches({
    log: storage.sessionEvents,
    store: storage.sessions,
    notices: storage.notices,
    clock: systemClock,
    maxUnreadBytes: config.limits.session.maxUnreadBytes,
    onProblem,
  });
  watches.start();
  const sessions = new LiveSessions({
    store: storage.sessions,
    engines: engineChoice,
    clock: systemClock,
    limits: config.limits.session,
    queueAnalysis: (session) => interviews.requestForEndingSession(session),
    onProblem: onSessionProblem,
    onEvent: (session, event) => watches.said(session, event),
    announceTakeOver: announceTakeOvers(storage.notices, onSessionProblem),
  });
  heedTakeOvers(storage.notices, sessions, onSessionProblem);
  await sessions.start({ takeAll: storage.kind === "pglite" });

  const revocations: Revocations = new Revocations({
    store: storage.revocations,
    notices: storage.notices,
    clock: systemClock,
    endStreams(selector) {
      credentials.forget();
      return sessions.revoke(selector) + watches.revoke(selector);
    },
    onProblem,
  });
  const firstSight = new FirstSight({ store: storage.users, clock: systemClock, onProblem });
  const oidc =
    config.oidc.issuers.length === 0
      ? undefined
      : new OidcUsers({
          ...config.oidc,
          clock: systemClock,
          onProblem: (issuer, problem, error) => log.warn({ issuer, err: error }, problem),
        });
  const credentials = new CredentialVerifier({
    jwt,
    apiKeys: storage.apiKeys,
    revocations,
    clock: systemClock,
    notices: storage.notices,
    onKeysRevoked: () => watches.lookAgain(),
    onUser: (user) => firstSight.sight(user),
    ...(oidc && { oidc }),
    ...(config.transcriptionServiceApiKey !== undefined && {
      fixedAnalysisKey: config.transcriptionServiceApiKey,
    }),
  });
  await revocations.start();
  const refreshTokens = new RefreshTokens({
    jwt,
    store: storage.refresh,
    revocations,
    clock: systemClock,
    onProblem,
  });
  const liveKitServer =
    config.livekit && new LiveKitServer(config.livekit, { now: systemClock.now, onProblem });
  const removeParticipants =
    liveKitServer && ((selector: RevocationSelector) => liveKitServer.removeParticipants(selector));
  const roomService = new Rooms({
    store: storage.rooms,
    async revoke(selector) {
      await revocations.revoke(selector);
      await removeParticipants?.(selector);
    },
    ...(liveKitServer && { mirror: liveKitServer }),
    now: systemClock.now,
  });

  const auditLog = new AuditLog({
    store: storage.audit,
    clock: systemClock,
    onProblem,
    ...(config.retention.auditDays !== undefined && { retentionDays: config.retention.auditDays }),
  });
  auditLog.start();
  const repeats = new Repeats({ sink: auditLog, clock: systemClock });
  const stats = new CallStats(systemClock.now);
  const rates = rateLimits(config.limits.rates, systemClock.now);

  const signInAt = studioOidc(config);
  const providerOrigins =
    signInAt.oidc &&
    new ProviderOrigins({
      issuer: signInAt.oidc.issuer,
      clock: systemClock,
      onProblem: (problem, error) => log.warn({ issuer: signInAt.oidc?.issuer, err: error }, problem),
    });
  const studio = createStudio({
    files: await readStudioFiles(options.studioFolder ?? defaultStudioFolder),
    indexPage,
    ...signInAt,
    ...(providerOrigins && { providerOrigins: () => providerOrigins.get() }),
    // With a secret of its own, which it may share with others, a server hands out no tokens unasked.
    ...(!config.production &&
      config.jwt.secret === undefined && {
        developmentSignIn: signInForDevelopment({ jwt, audit: auditLog, repeats, now: systemClock.now }),
      }),
  });

  const onRefused = (refusal: CredentialRefusal) => {
    log.info({ method: refusal.method, code: refusal.code }, "credential refused");
    repeats.fold(refusalEntry(refusal));
  };
  const verifyToken = (token: string) => revocations.check(verifyOwnToken(token, jwt, systemClock.now()));

  const gateway = createGateway({
    routes(router) {
      router.service(
        TokenService,
        tokenService({
          jwt,
          ...(config.livekit && { livekit: config.livekit }),
          ...(liveKitServer && { liveKitServer }),
          ...(removeParticipants && { removeParticipants }),
          ...(oidc && { oidc }),
          roomService,
          ...(jitsi && { jitsi }),
          ...(config.sfu && { sfu: config.sfu }),
          rooms: rememberReserved(storage.rooms),
          apiKeys: storage.apiKeys,
          apiKeyRevoked: () => credentials.apiKeyRevoked(),
          revocations,
          refreshTokens,
          audit: storage.audit,
          auditLog,
          stats,
          activeRoomCount: () => sessions.roomCount,
          now: systemClock.now,
        }),
        // A token beside what a caller chose must not be guessed from how well both compress; and it costs more than it saves.
        { compressMinBytes: Number.MAX_SAFE_INTEGER },
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
          streamLimits: new StreamLimits(config.limits.streams),
          maxIdleMs: config.limits.session.maxIdleMs,
          isRevoked: (caller) => revocations.isRevoked(caller),
          verifyToken,
        }),
      );
      router.service(
        AnalysisService,
        analysisService({
          interviews,
          progress: progressSource(storage),
          userModules: new UserModules({ store: storage.userModules, now: systemClock.now }),
        }),
      );
    },
    interceptors: [
      requestIdInterceptor(),
      logInterceptor({ log, caller: callerName }),
      statsInterceptor(stats),
      errorsInterceptor({
        onInternalError: (errorId, method, error) =>
          log.error({ errorId, method, err: error }, "internal error"),
      }),
      deadlineInterceptor(),
      rates.byAddress,
      auditInterceptor({ sink: auditLog, repeats, clock: systemClock, onProblem }),
      credentialsInterceptor({
        verify: (credential) => credentials.verify(credential),
        onRefused,
      }),
      rates.byCaller,
      // Audio is checked by hand, sample by sample of its place: it is most of what arrives.
      validationInterceptor({ skip: { [TranscribeRequestSchema.typeName]: isAudio } }),
    ],
    openInterceptors: [requestIdInterceptor(), logInterceptor({ log }), deadlineInterceptor()],
    health: async () => {
      const needed = { database: await storage.health(), speech: engineChoice.health() };
      // Without them it goes on: replicas hear of a revocation later, and users of an issuer cannot log in.
      const useful = {
        ...(storage.redisHealth && { redis: await storage.redisHealth() }),
        ...(oidc && { oidc: issuersHealth(oidc.health()) }),
      };
      const ready = Object.values(needed).every((part) => part.ready);
      return { ready, dependencies: { ...needed, ...useful } };
    },
    descriptors: [
      file_parley_token_v1_token,
      file_parley_transcription_v1_transcription,
      file_parley_analysis_v1_analysis,
    ],
    ...(tls && { tls }),
    allowedOrigins: config.allowedOrigins,
    fallback: studio,
    documents: {
      "/.well-known/jwks.json": () => ({ body: { keys: eddsa?.published ?? [] }, maxAgeSeconds: 300 }),
    },
    oldMembers,
    webSocketEndpoints(calls) {
      const common = { calls, rates: rates.handshakes, onRefused };
      return {
        "/": sessionSocket({ ...common, verify: verifyToken, clock: systemClock }),
        "/aq_server/websocket": roomSocket({
          ...common,
          verify: (token) => revocations.check(readSfuToken(token, config.sfu, systemClock.now())),
        }),
      };
    },
    log,
  });
  const { port } = await gateway.listen(config.port, config.host).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      `PORT, HOST: expected a free port; ${config.host}:${config.port} cannot be had (${code ?? "error"})`,
    ]);
  });
  const url = `${config.tls ? "https" : "http"}://${reachableHost(config.host)}:${port}`;
  log.info({ url, database: storage.kind, engines: engines.map(({ name }) => name) }, "listening");

  return {
    url,
    engineReady,
    ...(developmentApiKey !== undefined && { developmentApiKey }),
    async stop(graceMs) {
      const sessionsStopped = sessions.stop(graceMs).then(() => watches.stop());
      await Promise.all([sessionsStopped, gateway.stop({ graceMs: graceMs + lastWordsMs })]);
      await revocations.stop();
      credentials.stop();
      oidc?.close();
      providerOrigins?.close();
      await firstSight.flush();
      repeats.stop();
      await auditLog.stop(lastWordsMs);
      await queue.stop();
      await Promise.all(engines.map((engine) => engine.close()));
      await storage.close();
      log.info("stopped");
    },
  };
}

type Engines = readonly [SpeechEngine, ...SpeechEngine[]];

/** In order of preference. The offline engine is made ready at once, also where it only stands by. */
function openEngines(
  { speech }: Config,
  { engine, log, onModelProgress }: ServerOptions,
): { engines: Engines; engineReady: Promise<void> } {
  if (engine) return { engines: [engine], engineReady: Promise.resolve() };
  let engineReady = Promise.resolve();
  const open = {
    deepgram: () =>
      createDeepgramEngine({
        apiKey: speech.deepgramApiKey ?? "",
        ...(speech.deepgramUrl !== undefined && { url: speech.deepgramUrl }),
        onProblem: (message) => log.warn(message),
      }),
    offline: () => {
      const offline = createOfflineEngine({
        modelDir: speech.modelDir,
        ...(onModelProgress && { onModelProgress }),
        onProcessExit: (exit) => log.warn({ exit }, "a speech process ended"),
      });
      engineReady = offline.warmUp();
      return offline;
    },
  };
  const [first, ...others] = speech.engines;
  return { engines: [open[first](), ...others.map((name) => open[name]())], engineReady };
}

function isAudio(message: Message): boolean {
  return (message as TranscribeRequest).message.case === "audio";
}

function progressSource({ sessions, interviews }: Storage): ProgressSource {
  return {
    async listSessions({ userId, after, limit }) {
      const filter = { userId, hasEnded: true, ...(after && { after }) } as const;
      const { items } = await sessions.list(filter, { size: limit });
      return items.map((session) => ({
        ...session,
        measure: async () => measureSegments(await sessions.segments(session.sessionId), session),
      }));
    },
    scoresOf: (sessionIds) => interviews.overallScores(sessionIds),
  };
}

async function loadSession(storage: Storage, sessionId: string) {
  const session = await storage.sessions.get(sessionId);
  if (!session) return undefined;
  const { words, figures } = summarize(session, await storage.sessions.segments(sessionId), []);
  const { userId, roomName } = session;
  return { userId, roomName, hasEnded: session.state === "ended", words, figures };
}

function studioOidc({ oidc: { studio, audience, issuers } }: Config): { oidc?: StudioOidc } {
  const [first] = issuers;
  if (!studio || !first) return {};
  return {
    oidc: { issuer: first.issuer, ...studio, ...(audience !== undefined && { resource: audience }) },
  };
}

function issuersHealth(issuers: readonly IssuerHealth[]): DependencyHealth {
  const failing = issuers.filter(({ problem }) => problem !== undefined).length;
  const detail =
    failing === 0
      ? `issuers: ${issuers.length}`
      : `the keys of ${failing} of ${issuers.length} issuers cannot be had`;
  return { ready: failing === 0, detail };
}

const callerName: NonNullable<LogOptions["caller"]> = (values) => {
  const caller = values.get(callerKey);
  return caller && nameCaller(caller);
};

function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** How long SIGTERM leaves running sessions, in milliseconds; with their last words it stays under the 10 s of containers. */
const stopGraceMs = 4_000;

/** Serves until SIGTERM or SIGINT; a second signal ends the process at once. */
export async function serve(): Promise<void> {
  const config = readConfig();
  const log = pino({ level: config.logLevel });
  const starting = startServer(config, { log });
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      starting
        .then((server) => server.stop(stopGraceMs))
        .then(
          () => process.exit(0),
          (error: unknown) => {
            log.error({ err: error }, "the server did not stop well");
            process.exit(1);
          },
        );
    });
  }
  const { url, developmentApiKey } = await starting;
  if (developmentApiKey !== undefined) {
    process.stdout.write(`Parley is at ${url}\nDevelopment API key: ${developmentApiKey}\n`);
  }
}

/** `serve`, with what went wrong as the last words of the process. */
export async function runServer(): Promise<void> {
  try {
    await serve();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : "the server did not start"}\n`);
    process.exit(1);
  }
}

if (import.meta.main) await runServer();
