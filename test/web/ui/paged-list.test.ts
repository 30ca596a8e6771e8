/** Lists that come page by page: to their end, one page at a time, and again after a failure. */
import { expect, test } from "vitest";
import { createPagedList } from "../../../src/web/ui/paged-list.ts";

const pages: Record<string, { items: number[]; nextPageToken: string }> = {
  "": { items: [1, 2], nextPageToken: "b" },
  b: { items: [3], nextPageToken: "" },
};

test("it ends after the last page", async () => {
  const asked: string[] = [];
  const list = createPagedList(async (token) => {
    asked.push(token);
    return pages[token]!;
  });
  await list.more();
  expect(list.state.value).toEqual({ items: [1, 2], status: "ready", hasMore: true });
  await list.more();
  expect(list.state.value).toEqual({ items: [1, 2, 3], status: "ready", hasMore: false });
  await list.more();
  expect(asked).toEqual(["", "b"]);
});

test("a page is asked for once, however often one asks", async () => {
  let count = 0;
  const list = createPagedList(async () => {
    count += 1;
    return { items: [count], nextPageToken: "" };
  });
  await Promise.all([list.more(), list.more()]);
  expect(count).toBe(1);
});

test("after a failure what is there stays, and the same page is asked for again", async () => {
  let isAway = false;
  const list = createPagedList(async (token) => {
    if (isAway) throw new Error("away");
    return pages[token]!;
  });
  await list.more();
  isAway = true;
  await list.more();
  expect(list.state.value).toMatchObject({ items: [1, 2], status: "failed", error: new Error("away") });
  isAway = false;
  await list.more();
  expect(list.state.value).toEqual({ items: [1, 2, 3], status: "ready", hasMore: false });
});

test("what was just made stands first, also while a page is on its way", async () => {
  const list = createPagedList(async (token) => pages[token]!);
  const more = list.more();
  list.prepend(0);
  await more;
  expect(list.state.value.items).toEqual([0, 1, 2]);
});
