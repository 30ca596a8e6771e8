/**
 * What the users of the old systems type, run by curl itself, and what their programs read of the answers. The lines are the
 * contract: they stay as they are.
 */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createGateway, type Gateway } from "../../../src/gateway/create-gateway.ts";
import { oldMembers } from "../../../src/gateway/old-members.ts";
import { jitsiSecretKey } from "../../../src/token/targets/jitsi/jitsi-settings.ts";
import { silentLog } from "../../storage/silent-log.ts";
import {
  fixedAnalysisKey,
  livekit,
  startInMemoryServer,
  type InMemoryServer,
} from "../services/token/in-memory-server.ts";

const curl = spawnSync("curl", ["--version"], { encoding: "utf8" });
const hasCurl = curl.status === 0;
const hasHttp2 = hasCurl && /\bHTTP2\b/.test(curl.stdout);

/** Nobody answers there. */
const silentLiveKit = { ...livekit, url: "ws://127.0.0.1:9" };

let server: InMemoryServer;
let gateway: Gateway;
/** What the lines below refer to. */
let variables: Record<string, string>;

beforeAll(async () => {
  server = await startInMemoryServer({
    livekit: silentLiveKit,
    jitsi: {
      domain: "meet.example.com",
      appId: "parley",
      key: jitsiSecretKey("a-jitsi-secret-of-32-bytes-at-least"),
    },
  });
  gateway = createGateway({
    routes: server.routes,
    interceptors: server.interceptors,
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: [],
    oldMembers,
    log: silentLog,
  });
  const { port } = await gateway.listen(0, "127.0.0.1");
  variables = {
    PARLEY: `http://127.0.0.1:${port}`,
    USER_TOKEN: server.user("ada"),
    SERVICE_KEY: await server.service("tokens", "stats"),
    TRANSCRIPTION_SERVICE_API_KEY: fixedAnalysisKey,
  };
});
afterAll(async () => {
  await gateway.stop({ graceMs: 0 });
  await server.close();
});

interface CurlAnswer {
  status: number;
  json: Record<string, unknown>;
}

/** Runs a line in a shell that knows `variables`. */
async function shell(line: string): Promise<CurlAnswer> {
  const status = `${line} -w '\\n%{http_code}'`;
  const env = { PATH: process.env["PATH"], ...variables };
  const { stdout } = await promisify(execFile)("sh", ["-c", status], { env });
  const lines = stdout.trimEnd().split("\n");
  return { status: Number(lines.pop()), json: JSON.parse(lines.join("\n")) as Record<string, unknown> };
}

function claimsOf(token: unknown): Record<string, unknown> {
  const [, payload = ""] = (token as string).split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
}

const jwt = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as unknown;

describe.skipIf(!hasCurl)("an old client (skipped without curl)", () => {
  test("of the backend gets both tokens for an interview of a type", async () => {
    const { status, json } = await shell(`curl -sS -X POST "$PARLEY/api/livekit/token" \\
      -H "Authorization: Bearer $USER_TOKEN" \\
      -H "Content-Type: application/json" \\
      -d '{"interviewType":"market-sizing"}'`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      livekitToken: jwt,
      transcriptionToken: jwt,
      url: silentLiveKit.url,
      roomName: expect.stringMatching(/^market-sizing-ada-/) as unknown,
      participantIdentity: "ada",
    });
    expect(json["expiresIn"]).toBeGreaterThan(3500);
    expect(json["expiresIn"]).toBeLessThanOrEqual(3600);
    const { roomName } = json;
    expect(claimsOf(json["livekitToken"])).toMatchObject({
      sub: "ada",
      video: { room: roomName, roomJoin: true },
    });
    expect(claimsOf(json["transcriptionToken"])).toMatchObject({
      userId: "ada",
      roomName,
      participantIdentity: "ada",
      iss: "interview-backend",
      aud: "transcription-service",
    });
  });

  test("of the transcription service gets its token", async () => {
    const { status, json } = await shell(`curl -sS -X POST "$PARLEY/api/transcription/token" \\
      -H "Authorization: Bearer $SERVICE_KEY" \\
      -H "Content-Type: application/json" \\
      -d '{"roomName":"interview-123","participantIdentity":"user-456"}'`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      token: jwt,
      roomName: "interview-123",
      participantIdentity: "user-456",
      expiresIn: expect.any(Number) as unknown,
    });
    expect(claimsOf(json["token"])).toMatchObject({
      roomName: "interview-123",
      participantIdentity: "user-456",
    });
  });

  test.each(["/token/room", "/token/join"])(
    "of the LiveKit token server gets a token from %s",
    async (path) => {
      const { status, json } = await shell(`curl -sS -X POST "$PARLEY${path}" \\
      -H "Authorization: Bearer $SERVICE_KEY" \\
      -H "Content-Type: application/json" \\
      -d '{
        "room_name": "lobby",
        "participant_name": "Ada Lovelace",
        "participant_identity": "ada",
        "permissions": {"can_publish": true, "can_subscribe": true, "can_publish_data": false}
      }'`);
      expect(status).toBe(200);
      expect(json).toMatchObject({
        token: jwt,
        url: silentLiveKit.url,
        room_name: "lobby",
        participant_identity: "ada",
        expires_in: expect.any(Number) as unknown,
        roomName: "lobby",
        participantIdentity: "ada",
        expiresIn: expect.any(Number) as unknown,
      });
      expect(claimsOf(json["token"])).toMatchObject({
        sub: "ada",
        name: "Ada Lovelace",
        video: { room: "lobby", roomJoin: true, canPublish: true, canSubscribe: true, canPublishData: false },
      });
    },
  );

  test("of the LiveKit token server is told whether a token is good", async () => {
    const validate = (token: string) =>
      shell(`curl -sS -X POST "$PARLEY/token/validate" \\
        -H "Authorization: Bearer $SERVICE_KEY" \\
        -H "Content-Type: application/json" \\
        -d '{"token":"${token}"}'`);
    expect(await validate(server.participant("ada", "lobby"))).toMatchObject({
      status: 200,
      json: { valid: true, claims: { userId: "ada", roomName: "lobby" } },
    });
    expect(await validate("eyJhbGciOiJub25lIn0.e30.")).toMatchObject({ status: 200, json: { valid: false } });
  });

  test("of the Jitsi helper gets a moderator's token", async () => {
    const { status, json } = await shell(`curl -sS -X POST "$PARLEY/api/jitsi/generate-token" \\
      -H "Authorization: Bearer $SERVICE_KEY" \\
      -H "Content-Type: application/json" \\
      -d '{"roomName":"standup","userId":"ada","userName":"Ada Lovelace","moderator":true}'`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ token: jwt });
    expect(claimsOf(json["token"])).toMatchObject({
      aud: "jitsi",
      iss: "parley",
      room: "standup",
      moderator: true,
      context: { user: { id: "ada", name: "Ada Lovelace", moderator: "true" } },
    });
  });

  describe("that transcribed an interview has it analysed", () => {
    const dto = (more: string) => `curl -sS -X POST "$PARLEY/api/interviews/analyze" \\
      -H "Authorization: Bearer $TRANSCRIPTION_SERVICE_API_KEY" \\
      -H "Content-Type: application/json" \\
      -d '{
        "roomName": "interview-123",
        "participantIdentity": "user-456",
        "sessionData": {
          "transcript": "I would size the market from the number of households.",
          "duration": 295.4,
          "totalWords": 10,
          "averagePace": 145,
          "paceTimeline": [{"timestamp": 0, "wpm": 120, "segmentStart": 0, "segmentEnd": 30}],
          "fillers": [{"word": "um", "timestamp": 5.2, "contextBefore": "So", "contextAfter": "I"}],
          "pauses": [{"duration": 2.1, "timestamp": 45.3}],
          "words": [{"word": "I", "start": 0, "end": 0.2, "confidence": 0.9}],
          "transcriptSegments": []
        },
        "caseQuestion": "How many pianos are there in Vienna?",
        ${more}
      }'`;
    const stored = async ({ status, json }: CurlAnswer) => {
      expect({ status, json }).toMatchObject({
        status: 200,
        json: { interviewId: expect.any(String) as unknown },
      });
      return server.storage.interviews.get(json["interviewId"] as string);
    };

    test("with the answer in its own words", async () => {
      const line = dto('"difficulty": "medium", "candidateAnswer": "About twenty thousand."');
      expect(await stored(await shell(line))).toMatchObject({
        userId: "user-456",
        roomName: "interview-123",
        caseQuestion: "How many pianos are there in Vienna?",
        difficulty: "medium",
        candidateAnswer: "About twenty thousand.",
      });
    });

    test("with nothing but the transcript", async () => {
      expect(await stored(await shell(dto('"difficulty": "EASY"')))).toMatchObject({
        difficulty: "easy",
        candidateAnswer: "I would size the market from the number of households.",
      });
    });
  });

  test.each([
    ["with the names of today", '{"module_name":"grammar-7","document":{"focus":"articles"}}'],
    [
      "with its own",
      '{"user_id":"ada","module_id":"grammar-7","module_type":"grammar","content":{"focus":"articles"}}',
    ],
  ])("of the analyzer, %s, saves a module and finds it again", async (_, module) => {
    const saved = await shell(`curl -sS -X POST "$PARLEY/api/user_modules/save" \\
      -H "Authorization: Bearer $USER_TOKEN" \\
      -H "Content-Type: application/json" \\
      -d '${module}'`);
    expect(saved).toMatchObject({
      status: 200,
      json: { module: { module_name: "grammar-7", document: { focus: "articles" } } },
    });
    const ask = (userId: string) =>
      shell(`curl -sS "$PARLEY/user_modules/user/${userId}" -H "Authorization: Bearer $USER_TOKEN"`);
    expect(await ask("ada")).toMatchObject({
      status: 200,
      json: { modules: [{ moduleName: "grammar-7", document: { focus: "articles" } }] },
    });
    expect(await ask("grace")).toMatchObject({ status: 403 });
  });

  test("asks whether LiveKit answers", async () => {
    const answer = await shell('curl -sS "$PARLEY/livekit/status" -H "Authorization: Bearer $USER_TOKEN"');
    const configured = expect.any(Boolean) as unknown;
    expect(answer).toMatchObject({ status: 200, json: { configured, reachable: false } });
  });

  test("asks for the counts of the server", async () => {
    const answer = await shell('curl -sS "$PARLEY/stats" -H "Authorization: Bearer $SERVICE_KEY"');
    expect(answer).toMatchObject({
      status: 200,
      json: { errorRate: expect.any(Number) as unknown, tokenCounts: expect.any(Array) as unknown },
    });
  });

  test.each([
    ["without a credential", "", 401, "Unauthorized"],
    ["with one that is not good", '-H "Authorization: Bearer nonsense"', 401, "Unauthorized"],
    [
      "with one for something else",
      '-H "Authorization: Bearer $TRANSCRIPTION_SERVICE_API_KEY"',
      403,
      "Forbidden",
    ],
  ])("%s can show why", async (_, header, statusCode, error) => {
    const answer = await shell(`curl -sS -X POST "$PARLEY/api/livekit/token" \\
      -H "Content-Type: application/json" ${header} \\
      -d '{"interviewType":"market-sizing"}'`);
    expect(answer).toMatchObject({
      status: statusCode,
      json: { statusCode, error, message: expect.any(String) as unknown },
    });
  });

  test.skipIf(!hasHttp2)("over HTTP/2 gets the same (skipped where curl has no HTTP/2)", async () => {
    const answer = await shell(`curl -sS --http2-prior-knowledge -X POST "$PARLEY/token/validate" \\
      -H "Authorization: Bearer $SERVICE_KEY" \\
      -H "Content-Type: application/json" \\
      -d '{"token":"x"}'`);
    expect(answer).toMatchObject({
      status: 200,
      json: { valid: false, reason: "VALIDITY_REASON_MALFORMED" },
    });
  });
});
