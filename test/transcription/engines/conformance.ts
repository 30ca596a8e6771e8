/**
 * Runs an engine through everything that speech engines owe their callers. Use `describeEngine` in the engine's test file;
 * the checks themselves are in engine-behaviours.ts, where broken engines are held against them too.
 */
import { afterAll, beforeAll, describe, it } from "vitest";
import { engineBehaviours, type EngineUnderTest } from "./engine-behaviours.ts";

const timeoutMs = 60_000;

export function describeEngine(name: string, makeEngine: () => Promise<EngineUnderTest>): void {
  describe(`${name} keeps the engine contract`, { timeout: timeoutMs }, () => {
    let made: EngineUnderTest;
    beforeAll(async () => (made = await makeEngine()), timeoutMs);
    afterAll(async () => made.engine.close(), timeoutMs);

    for (const { behaviour, cannotCheck, check } of engineBehaviours) {
      it(behaviour, async (context) => {
        const reason = cannotCheck?.(made);
        if (reason !== undefined) return context.skip(reason);
        await check(made);
      });
    }
  });
}
