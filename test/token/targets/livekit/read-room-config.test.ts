import { RoomConfiguration } from "livekit-server-sdk";
import { describe, expect, test } from "vitest";
import {
  checkRoomConfigOfUser,
  readRoomConfig,
} from "../../../../src/token/targets/livekit/read-room-config.ts";
import { ForbiddenError } from "../../../../src/token/token-error.ts";

describe("a room configuration", () => {
  test("is written as LiveKit's SDK writes it, whichever of the two spellings it came in", async () => {
    const given = {
      max_participants: 12,
      emptyTimeout: 60,
      metadata: "m",
      tags: { team: "a" },
      agents: [{ agentName: "coach", metadata: "x" }],
    };
    const read = await readRoomConfig(given);
    expect(read).toEqual({
      maxParticipants: 12,
      emptyTimeout: 60,
      metadata: "m",
      tags: { team: "a" },
      agents: [{ agentName: "coach", metadata: "x" }],
    });
    const theirs = RoomConfiguration.fromJson({ ...given });
    expect(RoomConfiguration.fromJsonString(JSON.stringify(read)).equals(theirs)).toBe(true);
  });

  test("may be empty", async () => {
    expect(await readRoomConfig({})).toEqual({});
  });

  test.each([
    ["a field that is none", { maxParticipant: 3 }, "room_config.maxParticipant"],
    ["a field of the wrong type", { maxParticipants: "canary" }, "room_config.maxParticipants"],
    ["a negative number", { emptyTimeout: -1 }, "room_config.emptyTimeout"],
    ["a fraction", { emptyTimeout: 1.5 }, "room_config.emptyTimeout"],
    ["an unknown field deep within", { egress: { room: { canary: 1 } } }, "room_config.egress"],
    ["a list where none is", { metadata: ["canary"] }, "room_config.metadata"],
    ["one field in both spellings", { emptyTimeout: 1, empty_timeout: 2 }, "room_config.emptyTimeout"],
    ["a name that is no name", { "canary\u001b[2J": 1 }, "room_config"],
  ])("with %s is refused by name, and no value is repeated", async (_, given, field) => {
    const error = await readRoomConfig(given as Record<string, unknown>).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "TokenRequestError", code: "invalid" });
    expect((error as Error).message).toMatch(new RegExp(`^${field}: expected`));
    expect((error as Error).message).not.toContain("canary");
  });

  test.each([
    ["S3", { room: { fileOutputs: [{ s3: { accessKey: "a", secret: "canary" } }] } }],
    ["GCP", { participant: { fileOutputs: [{ gcp: { credentials: "canary" } }] } }],
    ["Azure", { tracks: { azure: { accountKey: "canary" } } }],
    ["a stream", { room: { streamOutputs: [{ urls: ["rtmp://x/canary"] }] } }],
  ])("does not take credentials for %s along, which every bearer could read", async (_, egress) => {
    const error = await readRoomConfig({ egress }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/^room_config\.egress: expected no cred/) as string,
    });
    expect((error as Error).message).not.toContain("canary");
  });

  test("may record to where LiveKit itself is told", async () => {
    const egress = { room: { fileOutputs: [{ filepath: "out.mp4" }] } };
    expect(await readRoomConfig({ egress })).toMatchObject({ egress });
  });
});

describe("a user", () => {
  test("may set what the owner of a room may set", async () => {
    const config = await readRoomConfig({
      maxParticipants: 3,
      departureTimeout: 5,
      syncStreams: true,
      tags: { a: "b" },
    });
    expect(() => checkRoomConfigOfUser(config)).not.toThrow();
  });

  test.each([
    ["egress", { egress: { room: {} } }],
    ["agents", { agents: [{ agentName: "coach" }] }],
    ["name", { name: "other" }],
  ])("may not ask for %s, and is told so by name", async (field, given) => {
    const config = await readRoomConfig(given);
    expect(() => checkRoomConfigOfUser(config)).toThrow(ForbiddenError);
    expect(() => checkRoomConfigOfUser(config)).toThrow(
      new RegExp(`^room_config\\.${field}: only a service`),
    );
  });
});
