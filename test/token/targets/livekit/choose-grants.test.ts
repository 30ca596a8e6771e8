import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserType } from "../../../../src/token/rooms/room-store.ts";
import { liveKitSources, userTypeRights } from "../../../../src/token/rooms/user-types.ts";
import {
  grantsForService,
  grantsForUser,
  nothingAsked,
} from "../../../../src/token/targets/livekit/choose-grants.ts";
import type { AskedGrants } from "../../../../src/token/targets/livekit/choose-grants.ts";
import { administrativeGrants, participantGrants } from "../../../../src/token/targets/livekit/grants.ts";
import type { LiveKitGrants } from "../../../../src/token/targets/livekit/grants.ts";
import { ForbiddenError } from "../../../../src/token/token-error.ts";

const userTypes: readonly UserType[] = ["host", "presenter", "guest", "viewer"];
const snake = (grant: string) => grant.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const asked = (changes: Partial<AskedGrants>): AskedGrants => ({ ...nothingAsked, ...changes });

/** The grants, or the field that the refusal names. */
function ask(changes: Partial<AskedGrants>, right: UserType): LiveKitGrants | string {
  try {
    return grantsForUser(asked(changes), "room", right);
  } catch (error) {
    expect(error).toBeInstanceOf(ForbiddenError);
    return (error as Error).message.replace(/:.*/s, "");
  }
}

describe.each(userTypes)("a %s who is a plain user", (right) => {
  const limit = userTypeRights[right].livekit;

  test("has all of their right when nothing is asked for, and no grant besides", () => {
    const { canUpdateOwnMetadata: _, ...rest } = limit;
    expect(ask({}, right)).toEqual({ roomJoin: true, room: "room", ...rest });
    expect(ask({ roomJoin: true }, right)).toEqual({ roomJoin: true, room: "room", ...rest });
  });

  test.each(administrativeGrants)("never has %s, and is told so by name", (grant) => {
    expect(ask({ [grant]: true }, right)).toBe(`permissions.${snake(grant)}`);
    expect(ask({ [grant]: false }, right)).toEqual(ask({}, right));
  });

  test.each(participantGrants)(
    "has %s on request if it is theirs, and is told by name if it is not",
    (grant) => {
      const answer = ask({ [grant]: true }, right);
      if (limit[grant]) expect(answer).toMatchObject({ [grant]: true });
      else expect(answer).toBe(`permissions.${snake(grant)}`);
      expect(ask({ [grant]: false }, right)).toMatchObject({ [grant]: false });
    },
  );

  test.each(liveKitSources)(
    "publishes %s alone if it is theirs, and is told by name if it is not",
    (source) => {
      const isTheirs = limit.canPublish && (limit.canPublishSources?.includes(source) ?? true);
      const answer = ask({ canPublishSources: [source] }, right);
      if (isTheirs) expect(answer).toMatchObject({ canPublishSources: [source] });
      else expect(answer).toBe("permissions.can_publish_sources");
    },
  );

  test("may ask for a token that does not join, which grants nothing", () => {
    expect(ask({ roomJoin: false }, right)).toEqual({ room: "room" });
  });
});

describe("whatever a user asks for", () => {
  const flag = fc.option(fc.boolean(), { nil: undefined });
  const anything: fc.Arbitrary<AskedGrants> = fc.record({
    roomJoin: flag,
    ...Object.fromEntries([...administrativeGrants, ...participantGrants].map((grant) => [grant, flag])),
    canPublishSources: fc.uniqueArray(fc.constantFrom(...liveKitSources)),
    destinationRoom: fc.constantFrom("", "other"),
  });

  test("their token never grants what the table does not", () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(...userTypes), (wanted, right) => {
        const grants = ask(wanted, right);
        if (typeof grants === "string") return;
        const limit = userTypeRights[right].livekit;
        for (const grant of administrativeGrants) expect(grants[grant] ?? false).toBe(false);
        // As LiveKit reads what is absent (auth.VideoGrant): may publish and receive, and send data where it may publish.
        const canPublish = grants.canPublish ?? true;
        const effective = {
          canPublish,
          canSubscribe: grants.canSubscribe ?? true,
          canPublishData: grants.canPublishData ?? canPublish,
          canUpdateOwnMetadata: grants.canUpdateOwnMetadata ?? false,
        };
        if (!grants.roomJoin) return;
        for (const grant of participantGrants) {
          if (effective[grant]) expect(limit[grant]).toBe(true);
        }
        if (!effective.canPublish) return;
        const sources = grants.canPublishSources ?? liveKitSources;
        for (const source of sources) expect(limit.canPublishSources ?? liveKitSources).toContain(source);
      }),
      { numRuns: 2000 },
    );
  });

  test("they get what they asked for by name, or are told which of it they may not have", () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(...userTypes), (wanted, right) => {
        const grants = ask(wanted, right);
        if (typeof grants === "string") {
          const field = grants.replace("permissions.", "");
          const named = Object.entries(wanted)
            .filter(([, value]) => value === true)
            .map(([name]) => snake(name));
          if (wanted.canPublishSources.length > 0) named.push("can_publish_sources");
          expect(named).toContain(field);
          return;
        }
        if (!grants.roomJoin) return;
        for (const grant of participantGrants) {
          if (wanted[grant] !== undefined) expect(grants[grant]).toBe(wanted[grant]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a service", () => {
  test("gets a participant who publishes and receives when it asks for nothing", () => {
    expect(grantsForService(nothingAsked, "room")).toEqual({
      roomJoin: true,
      room: "room",
      canPublish: true,
      canSubscribe: true,
      canPublishData: true,
    });
  });

  test.each([...administrativeGrants, ...participantGrants])("gets %s as it asks for it", (grant) => {
    for (const value of [true, false])
      expect(grantsForService(asked({ [grant]: value }), "room")).toMatchObject({ [grant]: value });
  });

  test("gets just what it asks for where it does not ask to join", () => {
    expect(grantsForService(asked({ roomJoin: false, roomCreate: true, roomList: true }), undefined)).toEqual(
      {
        roomCreate: true,
        roomList: true,
      },
    );
  });

  test("gets sources and a destination as it asks for them", () => {
    const grants = grantsForService(
      asked({ canPublishSources: ["screen_share", "camera"], destinationRoom: "next" }),
      "room",
    );
    expect(grants).toMatchObject({ canPublishSources: ["camera", "screen_share"], destinationRoom: "next" });
  });
});
