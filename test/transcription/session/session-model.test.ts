/** The promises of a session under any interleaving of what can happen to it; see ModelWorld for what is checked. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelWorld } from "./model-world.ts";

const rate = 16_000;

type Step = (world: ModelWorld) => Promise<void>;
const replica = fc.nat(1);
const named = (name: string, step: Step): Step => Object.assign(step, { [fc.toStringMethod]: () => name });

const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .integer({ min: 1600, max: 4 * rate })
      .map((n) => named(`record(${n})`, (world) => world.record(n))),
  },
  { weight: 6, arbitrary: replica.map((r) => named(`commit(${r})`, (world) => world.commit(r))) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(replica, fc.integer({ min: 1, max: 12 }))
      .map(([r, n]) => named(`hear(${r}, ${n})`, (world) => world.hear(r, n))),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map((noticed) => named(`cut(${noticed})`, (world) => world.cut(noticed))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(replica, fc.boolean())
      .map(([r, arrives]) => named(`kill(${r}, ${arrives})`, (world) => world.kill(r, arrives))),
  },
  { weight: 4, arbitrary: replica.map((r) => named(`resume(${r})`, (world) => world.resume(r))) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 20_000 })
      .map((ms) => named(`pass(${ms})`, (world) => world.pass(ms))),
  },
);

/** Words of 300 ms with 100 ms between them; every few words a pause that ends the utterance. */
function speech(utterances: readonly number[]) {
  const words: { text: string; startSample: number; endSample: number }[] = [];
  let at = 0;
  for (const count of utterances) {
    for (let word = 0; word < count; word++) {
      words.push({ text: `w${words.length + 1}`, startSample: at, endSample: at + rate * 0.3 });
      at += rate * 0.4;
    }
    at += rate * 0.6;
  }
  const audio = new Int16Array(at);
  words.forEach((word, index) =>
    audio.fill(Math.round(((index + 1) / 1000) * 32_768), word.startSample, word.endSample),
  );
  return { audio, words };
}

test("acknowledged audio is never lost, no word is said twice, and every word is there in the end", async () => {
  let streams = 0;
  let acknowledged = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 4, maxLength: 12 }),
      fc.array(steps, { minLength: 5, maxLength: 60, size: "max" }),
      async (utterances, script) => {
        const { audio, words } = speech(utterances);
        const world = new ModelWorld(audio, words);
        await world.open();
        for (const step of script) await step(world);
        acknowledged += world.acknowledged;
        await world.finish();
        streams += world.streams;
      },
    ),
    { numRuns: 150 },
  );
  // The runs were worth something: sessions broke, and had audio acknowledged before.
  expect(streams).toBeGreaterThan(400);
  expect(acknowledged).toBeGreaterThan(0);
}, 120_000);
