/** Whom a real livekit-server lets in, and that Parley's judgement of a token for LiveKit agrees with it. */
import { describe, expect, test } from "vitest";
import { judgeLiveKitToken } from "../../../../src/token/targets/livekit/judge-token.ts";
import { admissionCases } from "../../../livekit-server/admission-cases.ts";
import { joinRoom } from "../../../livekit-server/join-room.ts";
import { describeLiveKitServer } from "../../../livekit-server/livekit-server-process.ts";

const settings = { url: "ws://x", apiKey: "APIkey", apiSecret: "a-livekit-secret-of-32-bytes-at-least" };
const names = admissionCases(settings, Date.now()).map(({ name }) => name);
const find = (name: string, ...[of, nowMs]: Parameters<typeof admissionCases>) =>
  admissionCases(of, nowMs).find((one) => one.name === name)!;

describeLiveKitServer("LiveKit is shown a token", (server) => {
  test.each(names)("%s", async (name) => {
    const { settings: theirs, httpUrl } = server();
    const { token, roomName, status } = find(name, theirs, Date.now());
    const query = new URLSearchParams({ access_token: token, room: roomName ?? "" });
    const answer = await fetch(`${httpUrl}/rtc/validate?${query.toString()}`);
    expect(answer.status).toBe(status);
  });

  test("and leads into its room, whatever room is asked for", async () => {
    const { settings: theirs, httpUrl, client } = server();
    const { token } = find("a good one", theirs, Date.now());
    const joined = await joinRoom(httpUrl, token, { room: "another room" });
    expect((await client.listParticipants("room")).map(({ identity }) => identity)).toEqual(["ada"]);
    expect(await client.listRooms(["another room"])).toEqual([]);
    joined.leave();
  });
});

describe("Parley is shown a token for LiveKit", () => {
  test.each(names)("%s", (name) => {
    const nowMs = Date.now();
    const { token, roomName, verdict } = find(name, settings, nowMs);
    const question = roomName === undefined ? {} : { roomName };
    expect(judgeLiveKitToken(token, question, settings, nowMs).reason).toBe(verdict);
  });

  test("and says what LiveKit says, but for a reason", () => {
    for (const { name, status, verdict, differs } of admissionCases(settings, Date.now()))
      expect([name, (status === 200) === (verdict === "ok")]).toEqual([name, differs === undefined]);
  });
});
