import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserType } from "../../../../src/token/rooms/room-store.ts";
import { userTypeRights } from "../../../../src/token/rooms/user-types.ts";
import {
  privilegesForService,
  privilegesForUser,
  privilegesOf,
} from "../../../../src/token/targets/jitsi/choose-privileges.ts";
import { jitsiFeatures } from "../../../../src/token/targets/jitsi/features.ts";
import type { JitsiFeature } from "../../../../src/token/targets/jitsi/features.ts";
import { ForbiddenError } from "../../../../src/token/token-error.ts";

const userTypes: readonly UserType[] = ["host", "presenter", "guest", "viewer"];

/** The privileges, or the field that the refusal names. */
function ask(moderator: boolean, features: Record<string, boolean>, right: UserType) {
  try {
    return privilegesForUser({ moderator, features }, right);
  } catch (error) {
    expect(error).toBeInstanceOf(ForbiddenError);
    return (error as Error).message.replace(/:.*/s, "");
  }
}

describe.each(userTypes)("a %s who is a plain user", (right) => {
  const limit = userTypeRights[right].jitsi;

  test("moderates only if that is theirs, and only on request", () => {
    expect(ask(false, {}, right)).toMatchObject({ moderator: false });
    if (limit.moderator) expect(ask(true, {}, right)).toMatchObject({ moderator: true });
    else expect(ask(true, {}, right)).toBe("moderator");
  });

  test.each(jitsiFeatures)(
    "has %s on request if it is theirs, and is told by name if it is not",
    (feature) => {
      const answer = ask(false, { [feature]: true }, right);
      if (limit.features[feature]) expect(answer).toMatchObject({ features: { [feature]: true } });
      else expect(answer).toBe(`features.${feature}`);
      expect(ask(false, { [feature]: false }, right)).toMatchObject({ features: { [feature]: false } });
    },
  );

  test("has no feature that nobody knows, whose name is not repeated", () => {
    const error = (() => {
      try {
        return privilegesForUser({ features: { canary: true } }, right);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(ForbiddenError);
    expect((error as Error).message).not.toContain("canary");
  });

  test("is denied by name what is not theirs, so that nobody has it who comes first and moderates by that", () => {
    const { features } = privilegesForUser({ features: {} }, right);
    if (right === "host") expect(features).toBeUndefined();
    else expect(features).toEqual(limit.features);
    expect(privilegesOf(right)).toEqual({ moderator: limit.moderator, ...(features && { features }) });
  });
});

test("whatever a user asks for, their token never has what the table does not", () => {
  const wanted = fc.dictionary(fc.constantFrom(...jitsiFeatures, "unknown"), fc.boolean());
  fc.assert(
    fc.property(fc.boolean(), wanted, fc.constantFrom(...userTypes), (moderator, features, right) => {
      const answer = ask(moderator, features, right);
      if (typeof answer === "string") return;
      const limit = userTypeRights[right].jitsi;
      if (answer.moderator) expect(limit.moderator).toBe(true);
      // Without features in the token a moderator has all of them, and anybody may come to moderate.
      const has = (feature: JitsiFeature) => answer.features?.[feature] ?? feature === "screen-sharing";
      for (const feature of jitsiFeatures) {
        if (!answer.features || has(feature)) expect(limit.features[feature]).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a service gets what it asks for, and no features when it names none", () => {
  expect(privilegesForService({ features: {} })).toEqual({ moderator: false });
  expect(
    privilegesForService({ moderator: true, features: { recording: false, "name-readonly": true } }),
  ).toEqual({
    moderator: true,
    features: { recording: false, "name-readonly": true },
  });
});
