/** Who may watch which session and which room; everybody else is told that it is not there. */
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { StoredRoom } from "../../../../src/token/rooms/room-store.ts";
import { session } from "../../../storage/samples.ts";
import { startInMemoryServer } from "../token/in-memory-server.ts";
import type { InMemoryServer } from "../token/in-memory-server.ts";

let server: InMemoryServer;
let transcripts: string;
beforeAll(async () => {
  server = await startInMemoryServer();
  transcripts = await server.service("transcripts");
  const room = (roomName: string, fields: Partial<StoredRoom> = {}): StoredRoom => ({
    roomName,
    ownerUserId: "olga",
    access: "invited",
    members: [{ userId: "mia", userType: "viewer" }],
    createTime: new Date(),
    ...fields,
  });
  await server.storage.rooms.create(room("invited"));
  await server.storage.rooms.create(room("open", { access: "open", members: [] }));
  for (const roomName of ["invited", "open", "nobodys"])
    await server.storage.sessions.create(session(`in-${roomName}`, { roomName, userId: "ada" }));
});
afterAll(() => server.close());

type Selector = { case: "sessionId" | "roomName"; value: string };

/** The kind of the first event, or the code of the refusal. */
async function firstOf(credential: string, selector: Selector): Promise<string> {
  const client = server.client(TranscriptionService, credential);
  const leaving = new AbortController();
  try {
    for await (const { event } of client.watchSession({ selector }, { signal: leaving.signal }))
      return event?.event.case ?? "nothing";
    return "end";
  } catch (error) {
    return Code[ConnectError.from(error).code];
  } finally {
    leaving.abort();
  }
}
const inRoom = (value: string): Selector => ({ case: "roomName", value });
const ofSession = (value: string): Selector => ({ case: "sessionId", value });

describe("may watch", () => {
  test.each<[string, () => string, Selector]>([
    ["a participant the room of the token", () => server.participant("pia", "invited"), inRoom("invited")],
    ["a participant each session there", () => server.participant("pia", "invited"), ofSession("in-invited")],
    ["a user their own session", () => server.user("ada"), ofSession("in-nobodys")],
    ["a user their own room", () => server.user("olga"), inRoom("invited")],
    ["a member the room", () => server.user("mia"), inRoom("invited")],
    ["any user an open room", () => server.user("uma"), inRoom("open")],
    ["a service every session", () => transcripts, ofSession("in-invited")],
    ["a service every room", () => transcripts, inRoom("nobodys")],
  ])("%s", async (_, credential, selector) => {
    expect(await firstOf(credential(), selector)).toBe("sessionStarted");
  });
});

describe("is told that it is not there", () => {
  test.each<[string, () => string, Selector]>([
    ["a participant of another room", () => server.participant("ada", "open"), inRoom("invited")],
    ["a session of another room", () => server.participant("ada", "open"), ofSession("in-invited")],
    ["a session of somebody else", () => server.user("olga"), ofSession("in-invited")],
    ["a room that one is not invited to", () => server.user("ada"), inRoom("invited")],
    ["a room that nobody made", () => server.user("ada"), inRoom("nobodys")],
    ["a session that never was", () => transcripts, ofSession("none")],
  ])("%s", async (_, credential, selector) => {
    expect(await firstOf(credential(), selector)).toBe("NotFound");
  });
});

test("what names neither a session nor a room is INVALID_ARGUMENT", async () => {
  const client = server.client(TranscriptionService, transcripts);
  const asked = client.watchSession({})[Symbol.asyncIterator]().next();
  await expect(asked).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test("a member who is taken off the list is not told any more", async () => {
  await server.storage.rooms.create({
    roomName: "shrinking",
    ownerUserId: "olga",
    access: "invited",
    members: [{ userId: "mia", userType: "guest" }],
    createTime: new Date(),
  });
  await server.storage.sessions.create(session("in-shrinking", { roomName: "shrinking" }));
  const told = server
    .client(TranscriptionService, server.user("mia"))
    .watchSession({ selector: inRoom("shrinking") as never })
    [Symbol.asyncIterator]();
  await told.next();
  const next = told.next();
  next.catch(() => undefined);
  await server
    .client(TokenService, server.user("olga"))
    .updateRoom({ roomName: "shrinking", members: { members: [] } });
  await expect(next).rejects.toMatchObject({ code: Code.Unauthenticated });
  expect(await firstOf(server.user("mia"), inRoom("shrinking"))).toBe("NotFound");
});
