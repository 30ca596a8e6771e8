/** The one table of rights, cell by cell, and what follows from it on each server. */
import { describe, expect, test } from "vitest";
import type { UserType } from "../../../src/token/rooms/room-store.ts";
import { userTypeRights } from "../../../src/token/rooms/user-types.ts";
import type { UserTypeRights } from "../../../src/token/rooms/user-types.ts";
import { jitsiFeatures } from "../../../src/token/targets/jitsi/features.ts";

type Cells = readonly [host: boolean, presenter: boolean, guest: boolean, viewer: boolean];

const userTypes: readonly UserType[] = ["host", "presenter", "guest", "viewer"];
const [yes, no] = [true, false];

/** A right for each user type, written out by hand: whoever changes the table has to say so here too. */
const rights: Readonly<Record<string, readonly [read: (rights: UserTypeRights) => boolean, cells: Cells]>> = {
  "Parley: speak": [(of) => of.speak, [yes, yes, yes, no]],
  "Parley: watch": [(of) => of.watch, [yes, yes, yes, yes]],
  "LiveKit: canPublish": [(of) => of.livekit.canPublish, [yes, yes, yes, no]],
  "LiveKit: canSubscribe": [(of) => of.livekit.canSubscribe, [yes, yes, yes, yes]],
  "LiveKit: canPublishData": [(of) => of.livekit.canPublishData, [yes, yes, yes, no]],
  "LiveKit: canUpdateOwnMetadata": [(of) => of.livekit.canUpdateOwnMetadata, [yes, yes, no, no]],
  "LiveKit: camera": [(of) => publishes(of, "camera"), [yes, yes, yes, no]],
  "LiveKit: microphone": [(of) => publishes(of, "microphone"), [yes, yes, yes, no]],
  "LiveKit: screen_share": [(of) => publishes(of, "screen_share"), [yes, yes, no, no]],
  "LiveKit: screen_share_audio": [(of) => publishes(of, "screen_share_audio"), [yes, yes, no, no]],
  "Jitsi: moderator": [(of) => of.jitsi.moderator, [yes, no, no, no]],
};

const features: Readonly<Record<(typeof jitsiFeatures)[number], Cells>> = {
  branding: [yes, no, no, no],
  calendar: [yes, yes, yes, no],
  "create-polls": [yes, yes, yes, no],
  "file-upload": [yes, yes, yes, no],
  flip: [yes, yes, yes, no],
  "inbound-call": [yes, no, no, no],
  "list-visitors": [yes, no, no, no],
  "live-translation": [yes, no, no, no],
  livestreaming: [yes, no, no, no],
  lobby: [yes, no, no, no],
  moderation: [yes, no, no, no],
  "outbound-call": [yes, no, no, no],
  recording: [yes, no, no, no],
  room: [yes, no, no, no],
  "screen-sharing": [yes, yes, no, no],
  "send-groupchat": [yes, yes, yes, no],
  "send-private-message": [yes, yes, yes, no],
  "sip-inbound-call": [yes, no, no, no],
  "sip-outbound-call": [yes, no, no, no],
  transcription: [yes, no, no, no],
};

function publishes(
  { livekit }: UserTypeRights,
  source: "camera" | "microphone" | "screen_share" | "screen_share_audio",
) {
  return livekit.canPublish && (livekit.canPublishSources?.includes(source) ?? true);
}

describe("what a user type may do", () => {
  test.each(Object.entries(rights))("%s", (_, [read, cells]) => {
    expect(userTypes.map((userType) => read(userTypeRights[userType]))).toEqual(cells);
  });

  test.each(Object.entries(features))("Jitsi feature: %s", (feature, cells) => {
    const read = (userType: UserType) =>
      userTypeRights[userType].jitsi.features[feature as keyof typeof features];
    expect(userTypes.map(read)).toEqual(cells);
  });

  test("is told of every feature that Jitsi knows, and of no other", () => {
    for (const userType of userTypes)
      expect(Object.keys(userTypeRights[userType].jitsi.features)).toEqual([...jitsiFeatures]);
  });

  test("is never more than what the one before may do", () => {
    const cells = [...Object.values(rights).map(([, row]) => row), ...Object.values(features)];
    for (const row of cells) {
      for (const [index, may] of row.entries()) if (may) expect(row.slice(0, index)).not.toContain(false);
    }
  });
});
