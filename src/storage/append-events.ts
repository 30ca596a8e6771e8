/**
 * Numbers what a statement has written of sessions, within that statement, so that it is in the log of its room exactly when
 * it is in its table. The room's row in `room_logs` is locked until the commit: whoever sees a number sees all lower ones.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";

/**
 * Common table expressions that follow on one named `news`, with the columns session_id, room_name, kind, segment_index,
 * first_sample, channel, turn and place; the last two order it. Sessions must be locked before: rooms come second, in the
 * order of their names, so that no two statements wait for each other.
 */
export function appendNews(): RawBuilder<unknown> {
  return sql`
    heads as (
      insert into room_logs as log (room_name, position)
      select room_name, count(*) from news group by room_name order by room_name
      on conflict (room_name) do update set position = log.position + excluded.position
      returning room_name, position
    ), appended as (
      insert into session_events (room_name, position, session_id, kind, segment_index, first_sample, channel)
      select room_name, position - count(*) over (partition by room_name)
          + row_number() over (partition by room_name order by turn, place, session_id),
        session_id, kind, segment_index, first_sample, channel
      from news join heads using (room_name)
    )`;
}

/** `news` of one kind that needs no more words, from the sessions of `source`, which has session_id and room_name. */
export function newsOf(kind: "started" | "ended", source: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    news as (
      select session_id, room_name, ${sql.lit(kind)}::text as kind, null::int4 as segment_index,
        null::int8 as first_sample, null::int4 as channel, 0 as turn, 0::int8 as place
      from ${source}
    )`;
}
