/** That nothing can be done to a chain of audit events which is not found, and that nothing is found which was not done. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chainStart } from "../../../src/token/audit/audit-event.ts";
import type { AuditEvent, ChainLink } from "../../../src/token/audit/audit-event.ts";
import { formatLink, parseLink } from "../../../src/token/audit/chain-link.ts";
import { hashEvent } from "../../../src/token/audit/hash-event.ts";
import { linkEvents } from "../../../src/token/audit/link-events.ts";
import { pruneEntry } from "../../../src/token/audit/prune-event.ts";
import { toRecord } from "../../../src/token/audit/to-record.ts";
import { verifyChain } from "../../../src/token/audit/verify-chain.ts";
import { makeChain, prune, record, startMs } from "./make-chain.ts";

const faultsOf = async (events: readonly AuditEvent[], noted: readonly ChainLink[] = []) =>
  (await verifyChain(events, { noted })).faults;
const rehash = (event: AuditEvent): AuditEvent => ({ ...event, hash: hashEvent(event) });
const other = new Uint8Array(32).fill(7);

describe("the hash", () => {
  test("is that of the proto's rule, to the byte", () => {
    const [, second] = linkEvents(chainStart, [
      record("first"),
      record('room_name="Zoë 🎙 \u2028 \\ \u007f \u0001 \n"', { actor: "user:ada", peerAddress: "" }),
    ]);
    const text =
      '[2,1767323045678,"user:ada","token.create",' +
      '"room_name=\\"Zoë 🎙 \u2028 \\\\ \u007f \\u0001 \\n\\"","ok",""]';
    const bytes = Buffer.concat([second!.previousHash, Buffer.from(text, "utf8")]);
    expect(Buffer.from(second!.hash).toString("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  test("stays what it is from one version to the next", () => {
    expect(formatLink(makeChain(3).at(-1)!)).toBe(
      "3:b2291dcadc5bb709c5a44b9da95862241448c683c0c1e6124d6443258746dba4",
    );
  });
});

describe("a chain that is whole", () => {
  test("of no event, of one, and of many", async () => {
    expect(await verifyChain([])).toEqual({ count: 0, head: chainStart, faults: [] });
    for (const length of [1, 2, 100]) {
      const chain = makeChain(length);
      const { sequence, hash } = chain.at(-1)!;
      expect(await verifyChain(chain)).toEqual({ count: length, head: { sequence, hash }, faults: [] });
    }
  });

  test("and was pruned, once and again, says so itself", async () => {
    const once = prune(makeChain(10), 4);
    expect(await verifyChain(once)).toMatchObject({ count: 7, prunedThrough: 4, faults: [] });
    expect(await verifyChain(prune(once, 2))).toMatchObject({ count: 6, prunedThrough: 6, faults: [] });
    expect(await verifyChain(prune(once, 7))).toMatchObject({ count: 1, prunedThrough: 11, faults: [] });
  });

  test("and is pruned while it is read", async () => {
    const chain = makeChain(10);
    const read = [...chain.slice(0, 2), ...prune(chain, 5)];
    expect(await verifyChain(read)).toMatchObject({ count: 8, prunedThrough: 5, faults: [] });
  });

  test("holds every place that was noted, the last that was pruned too", async () => {
    const chain = makeChain(10);
    expect(await faultsOf(chain, chain)).toEqual([]);
    expect(await faultsOf(prune(chain, 4), chain.slice(3))).toEqual([]);
  });
});

describe("what was done to a chain is found where it was done", () => {
  const chain = makeChain(6);

  test("an event that says something else", async () => {
    const changed = chain.with(2, { ...chain[2]!, subject: "nothing" });
    expect(await faultsOf(changed)).toEqual([{ kind: "changed", sequence: 3 }]);
  });

  test("an event that says something else, with the hash for it", async () => {
    const changed = chain.with(2, rehash({ ...chain[2]!, subject: "nothing" }));
    expect(await faultsOf(changed)).toEqual([{ kind: "detached", sequence: 4 }]);
  });

  test("a first event that another is said to come before", async () => {
    const [first] = linkEvents({ sequence: 0, hash: other }, [record("first")]);
    expect(await faultsOf([first!])).toEqual([{ kind: "detached", sequence: 1 }]);
  });

  test("events that are gone, from the middle and from the beginning", async () => {
    expect(await faultsOf(chain.toSpliced(2, 2))).toEqual([
      { kind: "missing", sequence: 3, throughSequence: 4 },
    ]);
    expect(await faultsOf(chain.slice(2))).toEqual([{ kind: "missing", sequence: 1, throughSequence: 2 }]);
  });

  test("an event that is there twice", async () => {
    expect(await faultsOf(chain.toSpliced(4, 0, chain[1]!))).toEqual([
      { kind: "misplaced", sequence: 2, afterSequence: 4 },
    ]);
    expect(await faultsOf(chain.toSpliced(2, 0, chain[1]!))).toEqual([
      { kind: "misplaced", sequence: 2, afterSequence: 2 },
    ]);
  });

  test("events that changed places", async () => {
    const swapped = chain.with(2, chain[3]!).with(3, chain[2]!);
    expect(await faultsOf(swapped)).toEqual([{ kind: "misplaced", sequence: 3, afterSequence: 4 }]);
    const moved = [...chain.slice(0, 1), ...chain.slice(3), chain[1]!];
    expect(await faultsOf(moved)).toEqual([
      { kind: "misplaced", sequence: 2, afterSequence: 6 },
      { kind: "missing", sequence: 2, throughSequence: 3 },
    ]);
  });

  test("several things at once, in their order", async () => {
    const changed = [
      ...chain.slice(0, 1),
      ...chain.slice(2, 4),
      { ...chain[4]!, actor: "user:eve" },
      chain[5]!,
    ];
    expect(await faultsOf(changed)).toEqual([
      { kind: "missing", sequence: 2, throughSequence: 2 },
      { kind: "changed", sequence: 5 },
    ]);
  });

  test("its end, when a place beyond it was noted", async () => {
    expect(await faultsOf(chain.slice(0, 4))).toEqual([]);
    expect(await faultsOf(chain.slice(0, 4), [chain[5]!])).toEqual([
      { kind: "cut", sequence: 6, headSequence: 4 },
    ]);
    expect(await faultsOf([], [chain[0]!])).toEqual([{ kind: "cut", sequence: 1, headSequence: 0 }]);
  });

  test("all of it, with hashes that fit, when a place in it was noted", async () => {
    const rewritten = linkEvents(chainStart, [record("nothing"), ...chain.slice(1)]);
    expect(await faultsOf(rewritten)).toEqual([]);
    expect(await faultsOf(rewritten, [chain[3]!])).toEqual([{ kind: "rewritten", sequence: 4 }]);
    const pruned = prune(rewritten, 4);
    expect(await faultsOf(pruned, [chain[3]!])).toEqual([{ kind: "rewritten", sequence: 4 }]);
  });

  test("nothing is said to be there of a noted place that was pruned", async () => {
    expect(await faultsOf(prune(chain, 4), [chain[1]!])).toEqual([{ kind: "pruned", sequence: 2 }]);
  });
});

describe("a beginning that is gone is taken for pruned only on the word of the log", () => {
  const chain = makeChain(10);
  const sealed = (through: ChainLink, fields = {}) => {
    const seal = toRecord({ ...pruneEntry(through), ...fields }, startMs);
    return [...chain.slice(4), ...linkEvents(chain.at(-1)!, [seal])];
  };
  const missing = [{ kind: "missing", sequence: 1, throughSequence: 4 }];

  test.each([
    ["of an earlier end", sealed(chain[2]!)],
    ["of a later end", sealed(chain[4]!)],
    ["of another event with that number", sealed({ sequence: 4, hash: other })],
    ["of somebody else", sealed(chain[3]!, { actor: "user:ada" })],
    ["about something else", sealed(chain[3]!, { action: "audit.list" })],
    ["in other words", sealed(chain[3]!, { subject: formatLink(chain[3]!) })],
  ])("not on that %s", async (_, events) => {
    expect(await faultsOf(events)).toEqual(missing);
  });

  test("not on that of an event that was changed to say so", async () => {
    const events = sealed(chain[2]!);
    const forged = events.with(-1, { ...events.at(-1)!, subject: pruneEntry(chain[3]!).subject });
    expect(await faultsOf(forged)).toEqual([...missing, { kind: "changed", sequence: 11 }]);
  });

  test("and only as far as it goes", async () => {
    expect(await faultsOf(sealed(chain[3]!).slice(1))).toEqual([
      { kind: "missing", sequence: 1, throughSequence: 5 },
    ]);
  });
});

describe("whatever single thing is done to whatever chain", () => {
  const text = fc.string({ unit: "binary", maxLength: 20 });
  const chains = fc
    .array(fc.tuple(text, text, text, text, text, fc.date({ noInvalidDate: true })), {
      minLength: 2,
      maxLength: 20,
    })
    .map((rows) =>
      linkEvents(
        chainStart,
        rows.map(([actor, action, subject, outcome, peerAddress, time]) =>
          toRecord({ actor, action, subject, outcome, peerAddress }, time.getTime()),
        ),
      ),
    );
  const place = (chain: readonly AuditEvent[], at: number) => Math.floor(at * chain.length);
  const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  type Change = (event: AuditEvent) => AuditEvent;
  const changes = fc.constantFrom<Change>(
    ...(["actor", "action", "subject", "outcome", "peerAddress"] as const).flatMap((field): Change[] => [
      (event) => ({ ...event, [field]: `${event[field]} ` }),
      (event) => ({ ...event, [field]: event[field] === "" ? "x" : event[field].slice(1) }),
    ]),
    // What one text loses the next one wins.
    (event) => ({ ...event, actor: `${event.actor}${event.action}`, action: event.action === "" ? "x" : "" }),
    (event) => ({
      ...event,
      createTime: new Date(event.createTime.getTime() + (event.createTime.getTime() > 0 ? -1 : 1)),
    }),
    (event) => ({ ...event, sequence: event.sequence + 1 }),
    (event) => ({ ...event, sequence: event.sequence - 1 }),
    (event) => ({ ...event, hash: event.hash.map((byte, index) => (index === 31 ? byte ^ 1 : byte)) }),
    (event) => ({
      ...event,
      previousHash: event.previousHash.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
    }),
    (event) => ({ ...event, hash: event.hash.slice(0, 31) }),
  );

  test("untouched, it is whole", async () => {
    await fc.assert(
      fc.asyncProperty(chains, async (chain) => {
        expect(await faultsOf(chain, chain)).toEqual([]);
      }),
    );
  });

  test("a change is found", async () => {
    await fc.assert(
      fc.asyncProperty(chains, at, changes, async (chain, where, change) => {
        const index = place(chain, where);
        const changed = chain.with(index, change(chain[index]!));
        expect((await faultsOf(changed)).length).toBeGreaterThan(0);
      }),
    );
  });

  test("a change is found that comes with the hash for it, at the end by a noted head", async () => {
    await fc.assert(
      fc.asyncProperty(chains, at, changes, async (chain, where, change) => {
        const index = place(chain, where);
        const changed = rehash(change(chain[index]!));
        fc.pre(formatLink(changed) !== formatLink(chain[index]!));
        const noted = index === chain.length - 1 ? [chain.at(-1)!] : [];
        expect((await faultsOf(chain.with(index, changed), noted)).length).toBeGreaterThan(0);
      }),
    );
  });

  test("a change is found that comes with all hashes for it, by a noted head", async () => {
    await fc.assert(
      fc.asyncProperty(chains, at, async (chain, where) => {
        const index = place(chain, where);
        const records = chain
          .slice(index)
          .map((event, nth) => (nth === 0 ? { ...event, outcome: `${event.outcome}!` } : event));
        const rewritten = [...chain.slice(0, index), ...linkEvents(chain[index - 1] ?? chainStart, records)];
        expect(await faultsOf(rewritten)).toEqual([]);
        expect(await faultsOf(rewritten, [chain.at(-1)!])).toEqual([
          { kind: "rewritten", sequence: chain.length },
        ]);
      }),
    );
  });

  test("a removal is found, at the end by a noted head", async () => {
    await fc.assert(
      fc.asyncProperty(chains, at, at, async (chain, from, share) => {
        const index = place(chain, from);
        const count = 1 + Math.floor(share * (chain.length - index));
        const isEnd = index + count === chain.length;
        const faults = await faultsOf(chain.toSpliced(index, count), isEnd ? [chain.at(-1)!] : []);
        expect(faults.length).toBeGreaterThan(0);
      }),
    );
  });

  test("an insertion is found; what follows on the end is none", async () => {
    await fc.assert(
      fc.asyncProperty(chains, at, fc.boolean(), text, async (chain, where, isCopy, subject) => {
        const index = Math.floor(where * (chain.length + 1));
        const before = chain[index - 1] ?? chainStart;
        const added = isCopy ? chain[place(chain, where)]! : linkEvents(before, [record(subject)])[0]!;
        const faults = await faultsOf(chain.toSpliced(index, 0, added));
        const isNext = !isCopy && index === chain.length; // then it is a chain that has gone on
        expect(faults.length > 0).toBe(!isNext);
      }),
    );
  });

  test("a swap is found", async () => {
    await fc.assert(
      fc.asyncProperty(chains, at, at, async (chain, one, two) => {
        const [first, second] = [place(chain, one), place(chain, two)];
        fc.pre(first !== second);
        const swapped = chain.with(first, chain[second]!).with(second, chain[first]!);
        expect((await faultsOf(swapped)).length).toBeGreaterThan(0);
      }),
    );
  });
});

test("a place is written and read again, and nothing else is one", () => {
  const [link] = makeChain(1);
  expect(parseLink(formatLink(link!))).toEqual({ sequence: 1, hash: link!.hash });
  const hex = "0".repeat(64);
  for (const text of [
    "",
    "1",
    `0:${hex}`,
    `01:${hex}`,
    `1:${hex}0`,
    `-1:${hex}`,
    `1:${hex} `,
    `1:${"g".repeat(64)}`,
  ])
    expect(parseLink(text)).toBeUndefined();
});
