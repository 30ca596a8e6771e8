/** WatchSession: carries what a watcher is told onto the wire, and gives the watch up with the call. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  TranscriptionService,
  WatchSessionRequest,
  WatchSessionResponseSchema,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { ToldEvent } from "../../../transcription/watch/watch.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { openWatch } from "./open-watch.ts";
import type { WatchDependencies, WatchOptions, WatchSelector } from "./open-watch.ts";
import { watchedEventToProto } from "./to-proto.ts";

export function watchSession(
  dependencies: WatchDependencies,
): ServiceImpl<typeof TranscriptionService>["watchSession"] {
  return async function* (request, context) {
    const caller = requireCaller(context, "user", "participant", "service");
    const asked = { selector: selectorOf(request), options: optionsOf(request) };
    const { watch, close } = await openWatch(caller, asked.selector, asked.options, dependencies);
    // A handler that waits for its client to read does not get as far as its `finally`.
    context.signal.addEventListener("abort", close, { once: true });
    if (context.signal.aborted) close();
    try {
      for await (const event of watch.events()) yield toldEventToProto(event);
    } finally {
      close();
    }
  };
}

function selectorOf({ selector }: WatchSessionRequest): WatchSelector {
  switch (selector.case) {
    case "sessionId":
      return { sessionId: selector.value };
    case "roomName":
      return { roomName: selector.value };
    case undefined:
      throw new ConnectError("session_id or room_name is required", Code.InvalidArgument);
  }
}

function optionsOf({ cursor, fromNow }: WatchSessionRequest): WatchOptions {
  if (fromNow && cursor !== "")
    throw new ConnectError("cursor: leave it out, or from_now; one excludes the other", Code.InvalidArgument);
  if (fromNow) return { after: "now" };
  return cursor === "" ? {} : { after: { cursor } };
}

function toldEventToProto({
  cursor,
  session,
  event,
}: ToldEvent): MessageInitShape<typeof WatchSessionResponseSchema> {
  const { sessionId, participantIdentity } = session;
  return { cursor, sessionId, participantIdentity, event: { event: watchedEventToProto(event) } };
}
