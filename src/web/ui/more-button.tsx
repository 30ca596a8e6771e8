/** What stands below a paged list: the way to more of it, or what went wrong. */
import type { PagedListState } from "./paged-list.ts";
import { Alert } from "./alert.tsx";
import { Button } from "./button.tsx";
import { describeError } from "./describe-error.ts";
import { Loading } from "./loading.tsx";

export interface MoreButtonProps {
  readonly state: PagedListState<unknown>;
  readonly onMore: () => void;
  /** Of what: "sessions". */
  readonly what: string;
}

export function MoreButton({ state, onMore, what }: MoreButtonProps) {
  const { status, hasMore, items, error } = state;
  if (status === "failed") {
    return (
      <Alert
        kind="danger"
        title={`The ${what} could not be fetched.`}
        actions={
          <Button size="small" onClick={onMore}>
            Try again
          </Button>
        }
      >
        {describeError(error)}
      </Alert>
    );
  }
  if (status !== "ready" && items.length === 0) return <Loading>{`Fetching ${what}…`}</Loading>;
  if (!hasMore) return null;
  return (
    <div class="actions centred">
      <Button busy={status === "loading"} onClick={onMore}>
        More {what}
      </Button>
    </div>
  );
}
