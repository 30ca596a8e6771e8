/** A list that the server gives page by page, as it stands in the page: what is there, whether more is, and what went wrong. */
import { signal, type ReadonlySignal } from "@preact/signals";

export interface PagedListState<Item> {
  readonly items: readonly Item[];
  /** `none`: nothing was asked for yet. */
  readonly status: "none" | "loading" | "ready" | "failed";
  readonly hasMore: boolean;
  /** What made it fail; only then. */
  readonly error?: unknown;
}

export interface PagedList<Item> {
  readonly state: ReadonlySignal<PagedListState<Item>>;
  /** Asks for the next page, or for the first; not while one is on its way. What failed is asked for again. */
  more(): Promise<void>;
  /** Puts an item first, such as one that was just made. */
  prepend(item: Item): void;
}

/** `fetchPage` takes the token of a page, empty for the first, and gives that of the next, empty after the last. */
export function createPagedList<Item>(
  fetchPage: (pageToken: string) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
): PagedList<Item> {
  const state = signal<PagedListState<Item>>({ items: [], status: "none", hasMore: true });
  let nextPageToken = "";
  return {
    state,
    async more() {
      const { items, status, hasMore } = state.value;
      if (status === "loading" || !hasMore) return;
      state.value = { items, status: "loading", hasMore };
      try {
        const page = await fetchPage(nextPageToken);
        nextPageToken = page.nextPageToken;
        const all = [...state.value.items, ...page.items];
        state.value = { items: all, status: "ready", hasMore: nextPageToken !== "" };
      } catch (error) {
        state.value = { ...state.value, status: "failed", error };
      }
    },
    prepend(item) {
      state.value = { ...state.value, items: [item, ...state.value.items] };
    },
  };
}
