/**
 * The only reader of the environment. Turns it into one typed, read-only value, or into a ConfigError that names every
 * wrong variable and what was expected of it, and never the value of a secret. Long for the number of variables.
 */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import {
  bearerSecret,
  hostName,
  integer,
  isOrigin,
  list,
  oidcIssuers,
  oneOf,
  secret,
  url,
} from "./config-values.ts";
import { defaultRateLimits } from "./gateway/rate-limits/rate-limit-values.ts";
import type { RateLimitValues } from "./gateway/rate-limits/rate-limit-values.ts";
import { defaultSessionLimits } from "./transcription/session/session-options.ts";
import type { SessionLimits } from "./transcription/session/session-options.ts";
import { defaultStreamLimits } from "./transcription/session/stream-limits.ts";
import type { StreamLimitValues } from "./transcription/session/stream-limits.ts";
import { refreshTokenAudience } from "./token/refresh/refresh-token.ts";
import { userTokenAudience } from "./token/users/user-token.ts";

export interface Config {
  readonly production: boolean;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Holds PGlite's folder and generated secrets. */
  readonly dataDir: string;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly allowedOrigins: readonly string[];
  readonly jwt: {
    /** Absent: generated into dataDir; never so in production. */
    readonly secret?: string;
    readonly previousSecret?: string;
    readonly issuer: string;
    readonly audience: string;
    readonly expirySeconds: number;
    /** PEM of an Ed25519 private key: signs transcription tokens. Absent: the secret does. */
    readonly privateKeyFile?: string;
    /** PEMs of Ed25519 keys that verify transcription tokens besides: the next one and the previous one. */
    readonly publicKeyFiles: readonly string[];
  };
  readonly oidc: {
    readonly issuers: readonly OidcIssuer[];
    /** `aud` of the tokens that are for this server. Absent: they have none, and `azp` is one of `authorizedParties`. */
    readonly audience?: string;
    readonly authorizedParties: readonly string[];
    /** The studio as a public client of the first issuer. Absent: one does not sign in there. */
    readonly studio?: { readonly clientId: string; readonly scopes: string };
  };
  readonly livekit?: { readonly url: string; readonly apiKey: string; readonly apiSecret: string };
  readonly jitsi?: {
    readonly domain: string;
    readonly appId: string;
    /** The tenant whose meetings the tokens open; absent: those of the whole domain. */
    readonly tenant?: string;
    /** With what tokens are signed: HS256 with a secret, or RS256 with a key that Prosody finds by `keyId`. */
    readonly key: { readonly secret: string } | { readonly privateKeyFile: string; readonly keyId: string };
  };
  readonly sfu?: { readonly url: string; readonly jwtSecret: string };
  readonly speech: {
    /** In order of preference, never empty. Those after the first are for when it fails. */
    readonly engines: readonly [EngineName, ...EngineName[]];
    readonly modelDir: string;
    readonly deepgramApiKey?: string;
    readonly deepgramUrl?: string;
  };
  readonly openai?: { readonly apiKey: string; readonly baseUrl?: string; readonly model?: string };
  /** A fixed service key with scope `analysis`. */
  readonly transcriptionServiceApiKey?: string;
  readonly limits: {
    readonly streams: StreamLimitValues;
    readonly session: SessionLimits;
    readonly rates: RateLimitValues;
  };
  readonly retention: {
    readonly transcriptDays?: number;
    readonly analysisDays?: number;
    readonly auditDays?: number;
  };
}

export interface OidcIssuer {
  /** As its tokens name it in `iss`. */
  readonly issuer: string;
  /** Where its keys are; absent: where its discovery document says. */
  readonly jwksUrl?: string;
}

export type EngineName = "offline" | "deepgram";

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One line for each wrong variable: `NAME: what was expected`. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads `env`, by default the process's own and what a file `.env` in the working folder adds to it. An empty value counts as absent. Throws ConfigError. */
export function readConfig(env: Environment = processEnvironment()): Config {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(present);
  const problems = parsed.success ? [] : parsed.error.issues.map(describeIssue);
  problems.push(...contradictions(present));
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)].sort());
  return assemble(parsed.data);
}

/** A variable that is set already wins over the file. */
function processEnvironment(): Environment {
  try {
    process.loadEnvFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new ConfigError([".env: expected a readable file"]);
  }
  return process.env;
}

const hourMs = 3_600_000;
const mebibyte = 1024 ** 2;

const environmentSchema = z.object({
  NODE_ENV: z.string().optional(),
  PORT: integer(0, 65_535).default(3001),
  HOST: z.string().default("0.0.0.0"),
  DATA_DIR: z.string().default("data"),
  DATABASE_URL: url("postgres", "postgresql").optional(),
  REDIS_URL: url("redis", "rediss").optional(),
  LOG_LEVEL: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent").default("info"),
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  ALLOWED_ORIGINS: list
    .refine(
      (origins) => origins.every(isOrigin),
      "origins such as https://app.example.com, separated by commas, or *",
    )
    .default([]),
  JWT_SECRET: secret(32).optional(),
  JWT_SECRET_PREVIOUS: secret(32).optional(),
  JWT_ISSUER: z.string().default("interview-backend"),
  JWT_AUDIENCE: z.string().default("transcription-service"),
  JWT_EXPIRY_HOURS: z
    .string()
    .refine(
      (value) => /^\d{1,3}(\.\d+)?$/.test(value) && Number(value) * 3600 >= 60 && Number(value) <= 24,
      "hours, more than 0.016 (one minute) and at most 24",
    )
    .transform(Number)
    .default(2),
  JWT_PRIVATE_KEY_FILE: z.string().optional(),
  JWT_PUBLIC_KEY_FILES: list.default([]),
  OIDC_ISSUERS: oidcIssuers.default([]),
  OIDC_AUDIENCE: z.string().optional(),
  OIDC_AUTHORIZED_PARTIES: list.default([]),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_SCOPES: z
    .string()
    .refine(
      (value) =>
        /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(value) &&
        value.split(" ").includes("openid"),
      "scopes separated by single spaces, openid among them",
    )
    .default("openid profile email"),
  LIVEKIT_URL: url("ws", "wss", "http", "https").optional(),
  LIVEKIT_WS_URL: url("ws", "wss", "http", "https").optional(),
  LIVEKIT_API_KEY: z.string().optional(),
  LIVEKIT_API_SECRET: z.string().optional(),
  JITSI_DOMAIN: hostName.optional(),
  JITSI_APP_ID: z.string().optional(),
  JITSI_APP_SECRET: z.string().optional(),
  JITSI_PRIVATE_KEY_FILE: z.string().optional(),
  JITSI_KEY_ID: z.string().optional(),
  JITSI_TENANT: z
    .string()
    .refine((value) => /^[A-Za-z0-9._-]{1,128}$/.test(value), "letters, digits, dots, dashes and underscores")
    .optional(),
  SFU_URL: url("ws", "wss", "http", "https").optional(),
  SFU_JWT_SECRET: z.string().optional(),
  DEEPGRAM_API_KEY: bearerSecret(1).optional(),
  DEEPGRAM_URL: url("ws", "wss", "http", "https").optional(),
  SPEECH_ENGINE: oneOf("offline", "deepgram", "auto").default("auto"),
  MODEL_DIR: z.string().optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: url("http", "https").optional(),
  OPENAI_MODEL: z.string().optional(),
  TRANSCRIPTION_SERVICE_API_KEY: bearerSecret(16).optional(),
  MAX_STREAMS: integer(1, 2000).default(defaultStreamLimits.maxStreams),
  MAX_STREAMS_PER_PARTICIPANT: integer(1, 2000).default(defaultStreamLimits.maxPerParticipant),
  MAX_STREAMS_PER_ADDRESS: integer(1, 2000).default(defaultStreamLimits.maxPerAddress),
  MAX_SESSION_HOURS: integer(1, 168).default(defaultSessionLimits.maxDurationMs / hourMs),
  MAX_SESSION_MEGABYTES: integer(1, 1_000_000).default(defaultSessionLimits.maxAudioBytes / mebibyte),
  STREAM_IDLE_SECONDS: integer(5, 3600).default(defaultSessionLimits.maxIdleMs / 1000),
  MAX_UNREAD_KIB: integer(16, 65_536).default(defaultSessionLimits.maxUnreadBytes / 1024),
  MAX_MINTS_PER_MINUTE: integer(1, 1_000_000).default(defaultRateLimits.mintsPerUser),
  MAX_VALIDATIONS_PER_MINUTE: integer(1, 1_000_000).default(defaultRateLimits.validationsPerUser),
  MAX_OPENED_STREAMS_PER_MINUTE: integer(1, 1_000_000).default(defaultRateLimits.streamsPerParticipant),
  MAX_SERVICE_CALLS_PER_MINUTE: integer(1, 10_000_000).default(defaultRateLimits.callsPerService),
  MAX_CALLS_PER_ADDRESS_PER_MINUTE: integer(1, 10_000_000).default(defaultRateLimits.callsPerAddress),
  RETENTION_TRANSCRIPT_DAYS: integer(1, 36_500).optional(),
  RETENTION_ANALYSIS_DAYS: integer(1, 36_500).optional(),
  RETENTION_AUDIT_DAYS: integer(1, 36_500).optional(),
  XDG_CACHE_HOME: z.string().optional(),
});
type Parsed = z.infer<typeof environmentSchema>;

function describeIssue(issue: z.core.$ZodIssue): string {
  return `${issue.path.join(".")}: expected ${issue.message}`;
}

/** What no variable says alone: halves of pairs, and what production refuses. */
function contradictions(env: Environment): string[] {
  const problems: string[] = [];
  const together = (...names: string[]) => {
    const missing = names.filter((name) => env[name] === undefined);
    if (missing.length === 0 || missing.length === names.length) return;
    const given = names.filter((name) => !missing.includes(name));
    for (const name of missing) problems.push(`${name}: expected to be set, since ${given.join(" and ")} is`);
  };
  const livekitUrl =
    env["LIVEKIT_WS_URL"] !== undefined && env["LIVEKIT_URL"] === undefined
      ? "LIVEKIT_WS_URL"
      : "LIVEKIT_URL";
  together("TLS_CERT_FILE", "TLS_KEY_FILE");
  together(livekitUrl, "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET");
  const withKey = env["JITSI_PRIVATE_KEY_FILE"] !== undefined || env["JITSI_KEY_ID"] !== undefined;
  if (withKey) together("JITSI_DOMAIN", "JITSI_APP_ID", "JITSI_PRIVATE_KEY_FILE", "JITSI_KEY_ID");
  else together("JITSI_DOMAIN", "JITSI_APP_ID", "JITSI_APP_SECRET");
  if (withKey && env["JITSI_APP_SECRET"] !== undefined) {
    problems.push(
      "JITSI_APP_SECRET: expected to be absent, since JITSI_PRIVATE_KEY_FILE is set; Prosody takes one or the other",
    );
  }
  if (env["JITSI_TENANT"] !== undefined && env["JITSI_DOMAIN"] === undefined) {
    problems.push("JITSI_DOMAIN: expected to be set, since JITSI_TENANT is");
  }
  together("SFU_URL", "SFU_JWT_SECRET");
  if (env["SPEECH_ENGINE"] === "deepgram" && env["DEEPGRAM_API_KEY"] === undefined) {
    problems.push("DEEPGRAM_API_KEY: expected to be set, since SPEECH_ENGINE is deepgram");
  }
  for (const [audience, use] of [
    [userTokenAudience, "user tokens"],
    [refreshTokenAudience, "refresh tokens"],
  ] as const) {
    if (env["JWT_AUDIENCE"] !== audience) continue;
    problems.push(`JWT_AUDIENCE: expected anything but "${audience}", which is the audience of ${use}`);
  }
  if (
    env["OIDC_ISSUERS"] !== undefined &&
    env["OIDC_AUDIENCE"] === undefined &&
    env["OIDC_AUTHORIZED_PARTIES"] === undefined
  ) {
    problems.push(
      "OIDC_AUDIENCE: expected to be set, or OIDC_AUTHORIZED_PARTIES, since OIDC_ISSUERS is; otherwise a token for any app of the issuer would do",
    );
  }
  if (env["OIDC_CLIENT_ID"] !== undefined) {
    const [firstIssuer] = (env["OIDC_ISSUERS"] ?? "").split(",");
    if (firstIssuer?.trim() === "" || firstIssuer?.includes("|") === true) {
      problems.push(
        "OIDC_ISSUERS: expected to begin with an issuer that has a discovery document, since OIDC_CLIENT_ID is set",
      );
    }
  }
  if (env["NODE_ENV"] === "production") problems.push(...refusedInProduction(env));
  return problems;
}

function refusedInProduction(env: Environment): string[] {
  const problems: string[] = [];
  if (env["JWT_SECRET"] === undefined) {
    problems.push("JWT_SECRET: expected a secret of at least 32 bytes; in production none is generated");
  }
  if (env["DATABASE_URL"] === undefined) {
    problems.push("DATABASE_URL: expected a PostgreSQL URL; in production PGlite is refused");
  }
  for (const name of [
    "LIVEKIT_API_SECRET",
    "JITSI_APP_SECRET",
    "SFU_JWT_SECRET",
    "TRANSCRIPTION_SERVICE_API_KEY",
  ]) {
    const value = env[name];
    if (value !== undefined && Buffer.byteLength(value) < 32) {
      problems.push(`${name}: expected a secret of at least 32 bytes in production`);
    }
  }
  if (/(^|,)\s*http:|\|\s*http:/i.test(env["OIDC_ISSUERS"] ?? "")) {
    problems.push("OIDC_ISSUERS: expected URLs that begin with https:// in production");
  }
  return problems;
}

function assemble(env: Parsed): Config {
  const livekitUrl = env.LIVEKIT_URL ?? env.LIVEKIT_WS_URL;
  return {
    production: env.NODE_ENV === "production",
    port: env.PORT,
    host: env.HOST,
    dataDir: resolve(env.DATA_DIR),
    logLevel: env.LOG_LEVEL,
    allowedOrigins: env.ALLOWED_ORIGINS,
    jwt: {
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      expirySeconds: Math.round(env.JWT_EXPIRY_HOURS * 3600),
      publicKeyFiles: env.JWT_PUBLIC_KEY_FILES,
      ...given("privateKeyFile", env.JWT_PRIVATE_KEY_FILE),
      ...given("secret", env.JWT_SECRET),
      ...given("previousSecret", env.JWT_SECRET_PREVIOUS),
    },
    oidc: {
      issuers: env.OIDC_ISSUERS,
      authorizedParties: env.OIDC_AUTHORIZED_PARTIES,
      ...given("audience", env.OIDC_AUDIENCE),
      ...(env.OIDC_CLIENT_ID !== undefined && {
        studio: { clientId: env.OIDC_CLIENT_ID, scopes: env.OIDC_SCOPES },
      }),
    },
    speech: {
      engines: enginesOf(env),
      modelDir: env.MODEL_DIR ?? join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "parley", "models"),
      ...given("deepgramApiKey", env.DEEPGRAM_API_KEY),
      ...given("deepgramUrl", env.DEEPGRAM_URL),
    },
    limits: {
      streams: {
        maxStreams: env.MAX_STREAMS,
        maxPerParticipant: env.MAX_STREAMS_PER_PARTICIPANT,
        maxPerAddress: env.MAX_STREAMS_PER_ADDRESS,
      },
      session: {
        maxDurationMs: env.MAX_SESSION_HOURS * hourMs,
        maxAudioBytes: env.MAX_SESSION_MEGABYTES * mebibyte,
        maxIdleMs: env.STREAM_IDLE_SECONDS * 1000,
        maxUnreadBytes: env.MAX_UNREAD_KIB * 1024,
      },
      rates: {
        mintsPerUser: env.MAX_MINTS_PER_MINUTE,
        validationsPerUser: env.MAX_VALIDATIONS_PER_MINUTE,
        streamsPerParticipant: env.MAX_OPENED_STREAMS_PER_MINUTE,
        callsPerService: env.MAX_SERVICE_CALLS_PER_MINUTE,
        callsPerAddress: env.MAX_CALLS_PER_ADDRESS_PER_MINUTE,
      },
    },
    retention: {
      ...given("transcriptDays", env.RETENTION_TRANSCRIPT_DAYS),
      ...given("analysisDays", env.RETENTION_ANALYSIS_DAYS),
      ...given("auditDays", env.RETENTION_AUDIT_DAYS),
    },
    ...given("databaseUrl", env.DATABASE_URL),
    ...given("redisUrl", env.REDIS_URL),
    ...given("transcriptionServiceApiKey", env.TRANSCRIPTION_SERVICE_API_KEY),
    ...(env.TLS_CERT_FILE !== undefined && env.TLS_KEY_FILE !== undefined
      ? { tls: { certFile: env.TLS_CERT_FILE, keyFile: env.TLS_KEY_FILE } }
      : {}),
    ...(livekitUrl !== undefined && env.LIVEKIT_API_KEY !== undefined && env.LIVEKIT_API_SECRET !== undefined
      ? { livekit: { url: livekitUrl, apiKey: env.LIVEKIT_API_KEY, apiSecret: env.LIVEKIT_API_SECRET } }
      : {}),
    ...jitsiOf(env),
    ...(env.SFU_URL !== undefined && env.SFU_JWT_SECRET !== undefined
      ? { sfu: { url: env.SFU_URL, jwtSecret: env.SFU_JWT_SECRET } }
      : {}),
    ...(env.OPENAI_API_KEY !== undefined
      ? {
          openai: {
            apiKey: env.OPENAI_API_KEY,
            ...given("baseUrl", env.OPENAI_BASE_URL),
            ...given("model", env.OPENAI_MODEL),
          },
        }
      : {}),
  };
}

function jitsiOf(env: Parsed): Pick<Config, "jitsi"> {
  const { JITSI_DOMAIN: domain, JITSI_APP_ID: appId, JITSI_APP_SECRET: secret } = env;
  const { JITSI_PRIVATE_KEY_FILE: privateKeyFile, JITSI_KEY_ID: keyId } = env;
  if (domain === undefined || appId === undefined) return {};
  const tenant = given("tenant", env.JITSI_TENANT);
  if (secret !== undefined) return { jitsi: { domain, appId, ...tenant, key: { secret } } };
  if (privateKeyFile === undefined || keyId === undefined) return {};
  return { jitsi: { domain, appId, ...tenant, key: { privateKeyFile, keyId } } };
}

/** With `auto`, Deepgram where there is a key for it, and the offline engine behind it; an engine by name stands alone. */
function enginesOf(env: Parsed): Config["speech"]["engines"] {
  if (env.SPEECH_ENGINE !== "auto") return [env.SPEECH_ENGINE];
  return env.DEEPGRAM_API_KEY === undefined ? ["offline"] : ["deepgram", "offline"];
}

/** `{ [key]: value }`, or nothing when the value is absent. */
function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
