import { homedir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "../src/config.ts";
import type { Config, Environment } from "../src/config.ts";

const secret = "a-secret-of-more-than-thirty-two-bytes";
const production = { NODE_ENV: "production", JWT_SECRET: secret, DATABASE_URL: "postgres://u:p@db/parley" };

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
}

/** Names of the variables that are reported, in order. */
function wrong(env: Environment): string[] {
  return problemsOf(env).map((problem) => problem.slice(0, problem.indexOf(":")));
}

describe("without any variable", () => {
  const defaults: Config = {
    production: false,
    port: 3001,
    host: "0.0.0.0",
    dataDir: resolve("data"),
    logLevel: "info",
    allowedOrigins: [],
    jwt: {
      issuer: "interview-backend",
      audience: "transcription-service",
      expirySeconds: 7200,
      publicKeyFiles: [],
    },
    oidc: { issuers: [], authorizedParties: [] },
    speech: { engines: ["offline"], modelDir: join(homedir(), ".cache", "parley", "models") },
    limits: {
      streams: { maxStreams: 1000, maxPerParticipant: 8, maxPerAddress: 200 },
      session: {
        maxDurationMs: 86_400_000,
        maxAudioBytes: 2_147_483_648,
        maxIdleMs: 30_000,
        maxUnreadBytes: 262_144,
      },
      rates: {
        mintsPerUser: 60,
        validationsPerUser: 120,
        streamsPerParticipant: 120,
        callsPerService: 60_000,
        callsPerAddress: 3000,
      },
    },
    retention: {},
  };

  test("the defaults of the contract hold", () => {
    expect(readConfig({})).toEqual(defaults);
  });

  test("an empty value counts as absent, for every variable", () => {
    const empty = Object.fromEntries(
      [
        "NODE_ENV",
        "PORT",
        "HOST",
        "DATA_DIR",
        "DATABASE_URL",
        "REDIS_URL",
        "LOG_LEVEL",
        "TLS_CERT_FILE",
        "TLS_KEY_FILE",
        "ALLOWED_ORIGINS",
        "JWT_SECRET",
        "JWT_SECRET_PREVIOUS",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWT_EXPIRY_HOURS",
        "JWT_PRIVATE_KEY_FILE",
        "JWT_PUBLIC_KEY_FILES",
        "OIDC_ISSUERS",
        "OIDC_AUDIENCE",
        "OIDC_AUTHORIZED_PARTIES",
        "OIDC_CLIENT_ID",
        "OIDC_SCOPES",
        "LIVEKIT_URL",
        "LIVEKIT_WS_URL",
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
        "JITSI_DOMAIN",
        "JITSI_APP_ID",
        "JITSI_APP_SECRET",
        "JITSI_PRIVATE_KEY_FILE",
        "JITSI_KEY_ID",
        "JITSI_TENANT",
        "SFU_URL",
        "SFU_JWT_SECRET",
        "DEEPGRAM_API_KEY",
        "DEEPGRAM_URL",
        "SPEECH_ENGINE",
        "MODEL_DIR",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        "TRANSCRIPTION_SERVICE_API_KEY",
        "MAX_STREAMS",
        "MAX_STREAMS_PER_PARTICIPANT",
        "MAX_STREAMS_PER_ADDRESS",
        "MAX_SESSION_HOURS",
        "MAX_SESSION_MEGABYTES",
        "STREAM_IDLE_SECONDS",
        "MAX_UNREAD_KIB",
        "RETENTION_TRANSCRIPT_DAYS",
        "RETENTION_ANALYSIS_DAYS",
        "RETENTION_AUDIT_DAYS",
        "XDG_CACHE_HOME",
      ].map((name) => [name, ""]),
    );
    expect(readConfig(empty)).toEqual(defaults);
  });

  test("other variables of the machine do not matter", () => {
    expect(readConfig({ PATH: "/bin", npm_config_x: "1", PORT_: "x", port: "x", UNSET: undefined })).toEqual(
      defaults,
    );
  });
});

test("every variable arrives where it belongs", () => {
  expect(
    readConfig({
      NODE_ENV: "production",
      PORT: "0",
      HOST: "::1",
      DATA_DIR: "/var/parley",
      DATABASE_URL: "postgresql://u:p@db/parley",
      REDIS_URL: "rediss://cache",
      LOG_LEVEL: "debug",
      TLS_CERT_FILE: "c.pem",
      TLS_KEY_FILE: "k.pem",
      ALLOWED_ORIGINS: " https://a.example , http://localhost:5173,",
      JWT_SECRET: secret,
      JWT_SECRET_PREVIOUS: `${secret}-before`,
      JWT_ISSUER: "issuer",
      JWT_AUDIENCE: "audience",
      JWT_EXPIRY_HOURS: "0.5",
      JWT_PRIVATE_KEY_FILE: "sign.pem",
      JWT_PUBLIC_KEY_FILES: "next.pem, before.pem",
      OIDC_ISSUERS: "https://one.example, https://two.example/path|https://keys.example/jwks?v=1",
      OIDC_AUDIENCE: "aud",
      OIDC_AUTHORIZED_PARTIES: "https://a.example",
      LIVEKIT_URL: "wss://live.example",
      LIVEKIT_API_KEY: "key",
      LIVEKIT_API_SECRET: `${secret}-livekit`,
      JITSI_DOMAIN: "meet.example",
      JITSI_APP_ID: "app",
      JITSI_APP_SECRET: `${secret}-jitsi`,
      JITSI_TENANT: "tenant",
      SFU_URL: "wss://sfu.example",
      SFU_JWT_SECRET: `${secret}-sfu`,
      DEEPGRAM_API_KEY: "dg",
      DEEPGRAM_URL: "wss://dg.example",
      SPEECH_ENGINE: "offline",
      MODEL_DIR: "/models",
      OPENAI_API_KEY: "oa",
      OPENAI_BASE_URL: "http://localhost:11434/v1",
      OPENAI_MODEL: "model",
      TRANSCRIPTION_SERVICE_API_KEY: `${secret}-service`,
      MAX_STREAMS: "2000",
      MAX_STREAMS_PER_PARTICIPANT: "3",
      MAX_STREAMS_PER_ADDRESS: "4",
      MAX_SESSION_HOURS: "5",
      MAX_SESSION_MEGABYTES: "6",
      STREAM_IDLE_SECONDS: "7",
      MAX_UNREAD_KIB: "16",
      MAX_MINTS_PER_MINUTE: "8",
      MAX_VALIDATIONS_PER_MINUTE: "9",
      MAX_OPENED_STREAMS_PER_MINUTE: "10",
      MAX_SERVICE_CALLS_PER_MINUTE: "11",
      MAX_CALLS_PER_ADDRESS_PER_MINUTE: "12",
      RETENTION_TRANSCRIPT_DAYS: "1",
      RETENTION_ANALYSIS_DAYS: "2",
      RETENTION_AUDIT_DAYS: "36500",
    }),
  ).toEqual({
    production: true,
    port: 0,
    host: "::1",
    dataDir: "/var/parley",
    databaseUrl: "postgresql://u:p@db/parley",
    redisUrl: "rediss://cache",
    logLevel: "debug",
    tls: { certFile: "c.pem", keyFile: "k.pem" },
    allowedOrigins: ["https://a.example", "http://localhost:5173"],
    jwt: {
      secret,
      previousSecret: `${secret}-before`,
      issuer: "issuer",
      audience: "audience",
      expirySeconds: 1800,
      privateKeyFile: "sign.pem",
      publicKeyFiles: ["next.pem", "before.pem"],
    },
    oidc: {
      issuers: [
        { issuer: "https://one.example" },
        { issuer: "https://two.example/path", jwksUrl: "https://keys.example/jwks?v=1" },
      ],
      audience: "aud",
      authorizedParties: ["https://a.example"],
    },
    livekit: { url: "wss://live.example", apiKey: "key", apiSecret: `${secret}-livekit` },
    jitsi: {
      domain: "meet.example",
      appId: "app",
      tenant: "tenant",
      key: { secret: `${secret}-jitsi` },
    },
    sfu: { url: "wss://sfu.example", jwtSecret: `${secret}-sfu` },
    speech: {
      engines: ["offline"],
      modelDir: "/models",
      deepgramApiKey: "dg",
      deepgramUrl: "wss://dg.example",
    },
    openai: { apiKey: "oa", baseUrl: "http://localhost:11434/v1", model: "model" },
    transcriptionServiceApiKey: `${secret}-service`,
    limits: {
      streams: { maxStreams: 2000, maxPerParticipant: 3, maxPerAddress: 4 },
      session: {
        maxDurationMs: 18_000_000,
        maxAudioBytes: 6_291_456,
        maxIdleMs: 7000,
        maxUnreadBytes: 16_384,
      },
      rates: {
        mintsPerUser: 8,
        validationsPerUser: 9,
        streamsPerParticipant: 10,
        callsPerService: 11,
        callsPerAddress: 12,
      },
    },
    retention: { transcriptDays: 1, analysisDays: 2, auditDays: 36500 },
  });
});

describe("values that are wrong", () => {
  const canary = "canary-value";
  test.each([
    ["PORT", ["65536", "-1", "80.5", "0x50", "1e3", "http", " 80", canary]],
    ["DATABASE_URL", ["mysql://u:canary@db", "db", "postgres:", canary]],
    ["REDIS_URL", ["http://redis", canary]],
    ["LOG_LEVEL", ["INFO", "verbose", canary]],
    [
      "ALLOWED_ORIGINS",
      ["https://a.example/", "https://a.example/path", "a.example", "ftp://a.example", `*,${canary}`],
    ],
    ["JWT_SECRET", ["canary", "x".repeat(31)]],
    ["JWT_SECRET_PREVIOUS", ["canary", "x".repeat(31)]],
    ["JWT_AUDIENCE", ["parley", "parley-refresh"]],
    ["JWT_EXPIRY_HOURS", ["0", "-1", "0.01", "24.1", "25", "two", "1e1", "Infinity", canary]],
    ["MAX_MINTS_PER_MINUTE", ["0", "-1", "1000001", canary]],
    ["MAX_CALLS_PER_ADDRESS_PER_MINUTE", ["0", canary]],
    ["DEEPGRAM_API_KEY", ["canary key", "canary\n", "canär"]],
    ["DEEPGRAM_URL", ["deepgram", canary]],
    ["SPEECH_ENGINE", ["whisper", "Deepgram", canary]],
    ["OPENAI_BASE_URL", ["ws://x", canary]],
    [
      "TRANSCRIPTION_SERVICE_API_KEY",
      ["canary", "x".repeat(15), `canary ${secret}`, `canary,${secret}`, `canär${secret}`],
    ],
    ["MAX_STREAMS", ["0", "2001", canary]],
    ["MAX_STREAMS_PER_PARTICIPANT", ["0", "-1", "2001", canary]],
    ["MAX_STREAMS_PER_ADDRESS", ["0", "1.5", "2001", canary]],
    ["MAX_SESSION_HOURS", ["0", "169", "0.5", canary]],
    ["MAX_SESSION_MEGABYTES", ["0", "1000001", canary]],
    ["STREAM_IDLE_SECONDS", ["4", "3601", canary]],
    ["MAX_UNREAD_KIB", ["15", "65537", canary]],
    ["RETENTION_TRANSCRIPT_DAYS", ["0", "36501", "1.5", "forever", canary]],
    ["RETENTION_ANALYSIS_DAYS", ["0", "-1", canary]],
    ["RETENTION_AUDIT_DAYS", ["0", canary]],
  ])("%s is named with what was expected, and without its value", (name, values) => {
    for (const value of values) {
      expect(wrong({ [name]: value }), value).toEqual([name]);
      const [problem = ""] = problemsOf({ [name]: value });
      expect(problem).toMatch(/^[A-Z_]+: expected .{3,}/);
      expect(problem).not.toContain("canary");
    }
  });

  test("are all reported at once, in order, each variable's once", () => {
    const env = {
      PORT: "x",
      LOG_LEVEL: "x",
      JWT_SECRET: "canary",
      JWT_EXPIRY_HOURS: "99",
      TLS_KEY_FILE: "k.pem",
      LIVEKIT_API_SECRET: "canary",
      SFU_URL: "sfu",
      SPEECH_ENGINE: "deepgram",
    };
    expect(wrong(env)).toEqual([
      "DEEPGRAM_API_KEY",
      "JWT_EXPIRY_HOURS",
      "JWT_SECRET",
      "LIVEKIT_API_KEY",
      "LIVEKIT_URL",
      "LOG_LEVEL",
      "PORT",
      "SFU_JWT_SECRET",
      "SFU_URL",
      "TLS_CERT_FILE",
    ]);
    const message = (() => {
      try {
        readConfig(env);
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    })();
    for (const problem of problemsOf(env)) expect(message).toContain(problem);
    expect(message).not.toContain("canary");
  });

  test("a secret never shows, however it is wrong", () => {
    const names = [
      "JWT_SECRET",
      "JWT_SECRET_PREVIOUS",
      "LIVEKIT_API_SECRET",
      "JITSI_APP_SECRET",
      "SFU_JWT_SECRET",
      "DATABASE_URL",
      "REDIS_URL",
      "DEEPGRAM_API_KEY",
      "OPENAI_API_KEY",
      "TRANSCRIPTION_SERVICE_API_KEY",
    ];
    const value = fc
      .string({ unit: "binary", minLength: 4, maxLength: 20 })
      .map((text) => `\u00a7${text}\u00a7`);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), value), { minLength: 1 }),
        fc.boolean(),
        (pairs, strict) => {
          const env: Environment = {
            ...Object.fromEntries(pairs),
            ...(strict && { NODE_ENV: "production" }),
          };
          expect(problemsOf(env).join("\n")).not.toContain("\u00a7");
        },
      ),
    );
  });
});

describe("OIDC issuers", () => {
  const withAudience = (issuers: string) => problemsOf({ OIDC_ISSUERS: issuers, OIDC_AUDIENCE: "app" });

  test.each([
    "clerk.example",
    "https://a.example,canary-value",
    "https://a.example?canary",
    "https://a.example#canary",
    "https://canary@a.example",
    "ftp://a.example",
    "https://a.example|canary",
    "https://a.example|https://keys.example|https://canary.example",
    "https://a.example,https://a.example",
    "https://a.example,https://a.example|https://keys.example",
  ])("%s: what was expected is said, and the value is not", (issuers) => {
    const problems = withAudience(issuers);
    expect(problems).toEqual([expect.stringMatching(/^OIDC_ISSUERS: expected URLs of issuers/)]);
    expect(problems[0]).not.toContain("canary");
  });

  test("need an audience or authorized parties: otherwise a token for any app would do", () => {
    expect(wrong({ OIDC_ISSUERS: "https://a.example" })).toEqual(["OIDC_AUDIENCE"]);
    expect(wrong({ OIDC_ISSUERS: "https://a.example", OIDC_AUDIENCE: "app" })).toEqual([]);
    expect(wrong({ OIDC_ISSUERS: "https://a.example", OIDC_AUTHORIZED_PARTIES: "app" })).toEqual([]);
  });

  test("let the studio sign in at the first, which must say where", () => {
    const oidc = { OIDC_ISSUERS: "https://a.example", OIDC_AUDIENCE: "app", OIDC_CLIENT_ID: "studio" };
    expect(wrong({ OIDC_CLIENT_ID: "studio" })).toEqual(["OIDC_ISSUERS"]);
    expect(wrong({ ...oidc, OIDC_ISSUERS: "https://a.example|https://a.example/keys" })).toEqual([
      "OIDC_ISSUERS",
    ]);
    expect(
      wrong({ ...oidc, OIDC_ISSUERS: "https://a.example, https://b.example|https://k.example" }),
    ).toEqual([]);
    for (const scopes of ["profile", "openid  email", 'openid "x"', " openid"])
      expect(wrong({ ...oidc, OIDC_SCOPES: scopes })).toEqual(["OIDC_SCOPES"]);
    expect(readConfig(oidc).oidc.studio).toEqual({ clientId: "studio", scopes: "openid profile email" });
    expect(readConfig({ ...oidc, OIDC_SCOPES: "openid speak" }).oidc.studio?.scopes).toBe("openid speak");
  });

  test("are reached over TLS in production", () => {
    for (const issuers of [
      "http://a.example",
      "https://b.example, HTTP://a.example",
      "https://a.example|http://k",
    ]) {
      expect(wrong({ ...production, OIDC_ISSUERS: issuers, OIDC_AUDIENCE: "app" })).toEqual(["OIDC_ISSUERS"]);
      expect(wrong({ OIDC_ISSUERS: issuers, OIDC_AUDIENCE: "app" })).toEqual([]);
    }
    expect(wrong({ ...production, OIDC_ISSUERS: "https://http.example", OIDC_AUDIENCE: "app" })).toEqual([]);
  });
});

describe("edges that are right", () => {
  test.each<[Environment]>([
    [{ PORT: "65535" }],
    [{ ALLOWED_ORIGINS: "*" }],
    [{ JWT_SECRET: "x".repeat(32) }],
    [{ JWT_SECRET: "é".repeat(16) }],
    [{ JWT_EXPIRY_HOURS: "24" }],
    [{ JWT_EXPIRY_HOURS: "0.017" }],
    [{ TRANSCRIPTION_SERVICE_API_KEY: "x".repeat(16) }],
    [{ DATABASE_URL: "postgres://localhost" }],
  ])("%j", (env) => {
    expect(problemsOf(env)).toEqual([]);
  });
});

describe("variables that go together", () => {
  const groups = [
    { TLS_CERT_FILE: "c.pem", TLS_KEY_FILE: "k.pem" },
    { LIVEKIT_URL: "wss://live.example", LIVEKIT_API_KEY: "key", LIVEKIT_API_SECRET: secret },
    { LIVEKIT_WS_URL: "wss://live.example", LIVEKIT_API_KEY: "key", LIVEKIT_API_SECRET: secret },
    { JITSI_DOMAIN: "meet.example", JITSI_APP_ID: "app", JITSI_APP_SECRET: secret },
    { SFU_URL: "wss://sfu.example", SFU_JWT_SECRET: secret },
  ];
  test.each(groups)("%j: each that is missing is named, and with which", (group) => {
    const names = Object.keys(group).sort();
    expect(wrong(group)).toEqual([]);
    for (let set = 1; set < 2 ** names.length - 1; set++) {
      const given = names.filter((_, at) => (set >> at) & 1);
      const missing = names.filter((name) => !given.includes(name));
      const env = Object.fromEntries(given.map((name) => [name, (group as Environment)[name]]));
      // Where the alias is absent too, its proper name is asked for.
      const expected = missing.map((name) => (name === "LIVEKIT_WS_URL" ? "LIVEKIT_URL" : name)).sort();
      expect(wrong(env)).toEqual(expected);
      for (const problem of problemsOf(env)) for (const name of given) expect(problem).toContain(name);
    }
  });

  test("LIVEKIT_WS_URL is LIVEKIT_URL by its old name, which gives way to the new one", () => {
    const keys = { LIVEKIT_API_KEY: "key", LIVEKIT_API_SECRET: secret };
    expect(readConfig({ ...keys, LIVEKIT_WS_URL: "wss://old.example" }).livekit?.url).toBe(
      "wss://old.example",
    );
    const both = { ...keys, LIVEKIT_WS_URL: "wss://old.example", LIVEKIT_URL: "wss://new.example" };
    expect(readConfig(both).livekit?.url).toBe("wss://new.example");
  });

  test.each<[Environment, Config["speech"]["engines"]]>([
    [{}, ["offline"]],
    [{ SPEECH_ENGINE: "auto" }, ["offline"]],
    [{ DEEPGRAM_API_KEY: "dg" }, ["deepgram", "offline"]],
    [{ DEEPGRAM_API_KEY: "dg", SPEECH_ENGINE: "offline" }, ["offline"]],
    [{ DEEPGRAM_API_KEY: "dg", SPEECH_ENGINE: "deepgram" }, ["deepgram"]],
  ])("speech: %j", (env, engines) => {
    expect(readConfig(env).speech.engines).toEqual(engines);
  });

  test("Jitsi tokens are signed with a secret or with a key, not with both", () => {
    const jitsi = { JITSI_DOMAIN: "meet.example", JITSI_APP_ID: "app" };
    const key = { JITSI_PRIVATE_KEY_FILE: "jitsi.pem", JITSI_KEY_ID: "key-1" };
    expect(readConfig({ ...jitsi, ...key }).jitsi).toEqual({
      domain: "meet.example",
      appId: "app",
      key: { privateKeyFile: "jitsi.pem", keyId: "key-1" },
    });
    expect(wrong({ ...jitsi, ...key, JITSI_APP_SECRET: secret })).toEqual(["JITSI_APP_SECRET"]);
    expect(wrong({ JITSI_TENANT: "tenant" })).toEqual(["JITSI_DOMAIN"]);
    expect(wrong({ ...jitsi, JITSI_KEY_ID: "key-1" })).toEqual(["JITSI_PRIVATE_KEY_FILE"]);
    expect(wrong({ ...jitsi, JITSI_PRIVATE_KEY_FILE: "jitsi.pem" })).toEqual(["JITSI_KEY_ID"]);
    expect(wrong(key)).toEqual(["JITSI_APP_ID", "JITSI_DOMAIN"]);
    for (const domain of ["https://meet.example", "meet.example/", "user@meet.example", " ", "a b"]) {
      expect(wrong({ ...jitsi, ...key, JITSI_DOMAIN: domain })).toEqual(["JITSI_DOMAIN"]);
    }
    for (const tenant of ["a/b", "*", "a?"]) {
      expect(wrong({ ...jitsi, ...key, JITSI_TENANT: tenant })).toEqual(["JITSI_TENANT"]);
    }
  });

  test("the deepgram engine needs a key", () => {
    expect(problemsOf({ SPEECH_ENGINE: "deepgram" })).toEqual([
      "DEEPGRAM_API_KEY: expected to be set, since SPEECH_ENGINE is deepgram",
    ]);
  });

  test("models are kept in the cache folder of the user", () => {
    expect(readConfig({ XDG_CACHE_HOME: "/cache" }).speech.modelDir).toBe("/cache/parley/models");
    expect(readConfig({ XDG_CACHE_HOME: "/cache", MODEL_DIR: "/m" }).speech.modelDir).toBe("/m");
  });
});

describe("in production", () => {
  test("generated secrets and PGlite are refused, by the variable to set", () => {
    expect(wrong({ NODE_ENV: "production" })).toEqual(["DATABASE_URL", "JWT_SECRET"]);
    expect(wrong(production)).toEqual([]);
  });

  test("a secret under 32 bytes is refused, whatever it is for", () => {
    const short = "canary-of-sixteen-bytes";
    const group = {
      LIVEKIT_URL: "wss://live.example",
      LIVEKIT_API_KEY: "key",
      LIVEKIT_API_SECRET: short,
      JITSI_DOMAIN: "meet.example",
      JITSI_APP_ID: "app",
      JITSI_APP_SECRET: short,
      SFU_URL: "wss://sfu.example",
      SFU_JWT_SECRET: short,
      TRANSCRIPTION_SERVICE_API_KEY: short,
    };
    expect(wrong(group)).toEqual([]);
    const env = { ...production, ...group, JWT_SECRET: short };
    expect(wrong(env)).toEqual([
      "JITSI_APP_SECRET",
      "JWT_SECRET",
      "LIVEKIT_API_SECRET",
      "SFU_JWT_SECRET",
      "TRANSCRIPTION_SERVICE_API_KEY",
    ]);
    expect(problemsOf(env).join()).not.toContain("canary");
  });

  test("only NODE_ENV=production is production", () => {
    for (const name of ["Production", "prod", "test", "development"]) {
      expect(readConfig({ NODE_ENV: name }).production).toBe(false);
    }
  });
});
