/** ListAuditEvents on the whole service: what callers did is there, chained, and readable by an admin alone. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { AuditEvent } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { startInMemoryServer } from "./in-memory-server.ts";
import type { InMemoryServer } from "./in-memory-server.ts";

let server: InMemoryServer;
let adminKey: string;
beforeAll(async () => {
  server = await startInMemoryServer();
  adminKey = await server.service("admin");
});
afterAll(() => server.close());

const as = (credential?: string) => server.client(TokenService, credential);
const admin = () => as(adminKey);
const errorOf = async (promise: Promise<unknown>) =>
  ConnectError.from(
    await promise.then(
      () => expect.unreachable("it succeeded"),
      (reason: unknown) => reason,
    ),
  );

async function listAll(request: { actor?: string; pageSize?: number } = {}): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  let pageToken = "";
  do {
    const page = await admin().listAuditEvents({ ...request, pageToken });
    events.push(...page.events);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return events;
}

/** As the proto describes it, and not as the code has it. */
function hashOf({
  sequence,
  createTime,
  actor,
  action,
  subject,
  outcome,
  peerAddress,
  previousHash,
}: AuditEvent) {
  const fields = [
    Number(sequence),
    timestampDate(createTime!).getTime(),
    actor,
    action,
    subject,
    outcome,
    peerAddress,
  ];
  return new Uint8Array(createHash("sha256").update(previousHash).update(JSON.stringify(fields)).digest());
}

test("what was done is there as soon as it was answered, in its order", async () => {
  const user = as(server.user("zoë"));
  const { refreshToken, roomName } = await user.createSessionTokens({});
  await errorOf(user.createSessionTokens({ roomName, participantIdentity: "somebody else" }));
  await as().refreshToken({ refreshToken });
  await user.revokeTokens({ selector: { case: "userId", value: "zoë" }, reason: "lost my phone" });
  const events = await listAll({ actor: "user:zoë" });
  const room = `room_name=${roomName}`;
  expect(events.map(({ action, subject, outcome }) => [action, subject, outcome])).toEqual([
    ["token.create", `${room} participant_identity=zoë targets=TRANSCRIPTION`, "ok"],
    [
      "token.create",
      `${room} participant_identity="somebody else"`,
      expect.stringMatching(/^permission_denied: ./),
    ],
    ["token.refresh", `${room} participant_identity=zoë targets=TRANSCRIPTION`, "ok"],
    ["token.revoke", 'user_id=zoë reason="lost my phone"', "ok"],
  ]);
});

test("each event is chained to the one before, as the proto says", async () => {
  const { apiKey } = await admin().createApiKey({ displayName: "ci", scopes: ["stats"] });
  await admin().revokeApiKey({ apiKeyId: apiKey!.apiKeyId });
  const events = await listAll();
  expect(events.length).toBeGreaterThan(2);
  let previousHash = new Uint8Array(32);
  for (const [index, event] of events.entries()) {
    expect(event.sequence).toBe(BigInt(index + 1));
    expect(event.previousHash).toEqual(previousHash);
    expect(event.hash).toEqual(hashOf(event));
    previousHash = new Uint8Array(event.hash);
  }
  expect(events.slice(-2).map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    `api_key.create api_key_id=${apiKey!.apiKeyId} scopes=stats`,
    `api_key.revoke api_key_id=${apiKey!.apiKeyId}`,
  ]);
});

const actorOf = (key: string) => `service:${key.split("_")[1]!}`;

test("to read it is an event as well, one for as many pages as there are within a minute", async () => {
  const key = await server.service("admin");
  for (let page = 0; page < 3; page++) await as(key).listAuditEvents({ pageSize: 1 });
  await as(key).listAuditEvents({ actor: "user:ada" });
  const events = await listAll({ actor: actorOf(key) });
  expect(events.map(({ action, subject }) => [action, subject])).toEqual([
    ["audit.list", ""],
    ["audit.list", "actor=user:ada"],
  ]);
});

test("pages have 100 events unless another number is asked for", async () => {
  const key = await server.service("tokens");
  const subjects = Array.from({ length: 101 }, (_, number) => `identity-${number}`);
  for (const participantIdentity of subjects)
    await as(key).createTranscriptionToken({ roomName: "many", participantIdentity });
  expect((await admin().listAuditEvents({})).events).toHaveLength(100);
  expect((await admin().listAuditEvents({ pageSize: 3 })).events).toHaveLength(3);
  const events = await listAll({ actor: actorOf(key), pageSize: 7 });
  expect(events.map(({ subject }) => /participant_identity=(\S+)/.exec(subject)?.[1])).toEqual(subjects);
});

test("nobody but an admin reads it, and a page token that is none is refused", async () => {
  for (const credential of [
    server.user("ada"),
    server.participant("ada"),
    await server.service("tokens", "stats"),
  ])
    expect((await errorOf(as(credential).listAuditEvents({}))).code).toBe(Code.PermissionDenied);
  expect((await errorOf(admin().listAuditEvents({ pageToken: "nonsense" }))).code).toBe(Code.InvalidArgument);
});
