/**
 * A long list of rows of any height in a window that scrolls: draws only the rows that can be seen, so that an hour of
 * captions costs as much as a minute. Follows its end until somebody scrolls away from it.
 */
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "./button.tsx";
import { layOutRows } from "./lay-out-rows.ts";
import "./virtual-list.css";

export interface VirtualListProps<Row> {
  /** What the list is, for screen readers; it can be focused and scrolled with the keys. */
  readonly label: string;
  readonly rows: readonly Row[];
  /** The same for a row that changes. */
  readonly keyOf: (row: Row) => number;
  /** In CSS pixels, until the row has been drawn once. */
  readonly estimateHeight: (row: Row) => number;
  readonly children: (row: Row) => ComponentChildren;
  /** Keeps the newest row in sight. Default false. */
  readonly followsEnd?: boolean;
  /** Filled with what the list can be told. */
  readonly handle?: RefObject<VirtualListHandle | null>;
}

export interface VirtualListHandle {
  /** Brings a row to the middle of the window, if it is not in sight. */
  reveal(index: number): void;
}

const marginPx = 300;
/** So near its end the list counts as being there. */
const endPx = 48;

export function VirtualList<Row>(props: VirtualListProps<Row>) {
  const { label, rows, keyOf, estimateHeight, children, followsEnd = false, handle } = props;
  const box = useRef<HTMLDivElement>(null);
  const measured = useMemo(() => new Map<number, number>(), []);
  const [window, setWindow] = useState({ top: 0, height: 600 });
  const [isAway, setIsAway] = useState(false);
  const lastTop = useRef(0);
  const [, setRevision] = useState(0);
  const heights = rows.map((row) => measured.get(keyOf(row)) ?? estimateHeight(row));
  const { first, last, tops } = layOutRows(heights, { ...window, margin: marginPx });
  const current = useRef({ tops, isAway });
  current.current = { tops, isAway };

  const observer = useRowHeights(measured, box, () => setRevision((revision) => revision + 1));

  useLayoutEffect(() => {
    const element = box.current;
    if (element && followsEnd && !isAway) element.scrollTop = element.scrollHeight;
  });

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const read = () => setWindow({ top: element.scrollTop, height: element.clientHeight });
    const resize = new ResizeObserver(read);
    resize.observe(element);
    return () => resize.disconnect();
  }, []);

  if (handle) {
    handle.current = {
      reveal(index) {
        const element = box.current;
        const top = current.current.tops[index];
        const bottom = current.current.tops[index + 1];
        if (!element || top === undefined || bottom === undefined) return;
        const isSeen = top >= element.scrollTop && bottom <= element.scrollTop + element.clientHeight;
        if (!isSeen) element.scrollTop = (top + bottom - element.clientHeight) / 2;
      },
    };
  }

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    setWindow({ top: element.scrollTop, height: element.clientHeight });
    // Rows that turn out higher than estimated move the end away; only who scrolls back leaves it.
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight <= endPx;
    if (isAtEnd) setIsAway(false);
    else if (element.scrollTop < lastTop.current) setIsAway(true);
    lastTop.current = element.scrollTop;
  };
  const drawn = rows.slice(first, last + 1);
  return (
    <div class="virtual-list">
      <div
        class="virtual-list-box"
        ref={box}
        tabIndex={0}
        role="region"
        aria-label={label}
        onScroll={onScroll}
      >
        <div class="virtual-list-rows" style={{ height: `${tops.at(-1) ?? 0}px` }}>
          {drawn.map((row, index) => (
            <div
              key={keyOf(row)}
              class="virtual-list-row"
              style={{ transform: `translateY(${tops[first + index] ?? 0}px)` }}
              ref={(element) => observer.watch(element, keyOf(row))}
            >
              {children(row)}
            </div>
          ))}
        </div>
      </div>
      {followsEnd && isAway && (
        <Button
          class="virtual-list-latest"
          size="small"
          onClick={() => {
            setIsAway(false);
            box.current?.focus({ preventScroll: true });
          }}
        >
          Go to the latest
        </Button>
      )}
    </div>
  );
}

/** Learns the heights of the rows that are drawn. Rows above the window that grow do not move what is in it. */
function useRowHeights(
  measured: Map<number, number>,
  box: RefObject<HTMLDivElement | null>,
  onChange: () => void,
): { watch: (element: HTMLElement | null, key: number) => void } {
  const change = useRef(onChange);
  change.current = onChange;
  const watcher = useMemo(() => {
    const keys = new WeakMap<Element, number>();
    const observer = new ResizeObserver((entries) => {
      let hasChanged = false;
      for (const { target } of entries) {
        const key = keys.get(target);
        const height = target.getBoundingClientRect().height;
        if (key === undefined || height === 0 || measured.get(key) === height) continue;
        const old = measured.get(key);
        const boxTop = box.current?.getBoundingClientRect().top ?? 0;
        if (old !== undefined && box.current && target.getBoundingClientRect().bottom < boxTop)
          box.current.scrollTop += height - old;
        measured.set(key, height);
        hasChanged = true;
      }
      if (hasChanged) change.current();
    });
    return {
      observer,
      watch(element: HTMLElement | null, key: number) {
        if (!element || keys.get(element) === key) return;
        keys.set(element, key);
        observer.observe(element);
      },
    };
  }, [measured, box]);
  useEffect(() => () => watcher.observer.disconnect(), [watcher]);
  return watcher;
}
