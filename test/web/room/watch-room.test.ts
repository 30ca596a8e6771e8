/** A watched room through cuts: from the last cursor, with longer and longer waits, and not at all where it cannot help. */
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import { TranscriptionService } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { SignInError } from "../../../src/web/session/sign-in-error.ts";
import { watchRoom } from "../../../src/web/room/watch-room.ts";

/** Of one stream: cursors of its events, "hang" and "end" among them, and how it fails. */
type Script = readonly (string | ConnectError)[];

let scripts: Script[];
let cursors: string[];
let seen: string[];
let states: string[];
let waits: number[];
let leaving: AbortController;
let online: AbortController;
beforeEach(() => {
  scripts = [];
  cursors = [];
  seen = [];
  states = [];
  waits = [];
  leaving = new AbortController();
  online = new AbortController();
});

const client = createClient(
  TranscriptionService,
  createRouterTransport(({ service }) => {
    service(TranscriptionService, {
      async *watchSession({ cursor }, { signal }) {
        cursors.push(cursor);
        for (const step of scripts.shift() ?? ["hang"]) {
          if (step === "end") return;
          if (step instanceof ConnectError) throw step;
          if (step !== "hang") yield { cursor: step };
          else {
            if (scripts.length === 0) leaving.abort();
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            throw new ConnectError("gone", Code.Canceled);
          }
        }
      },
    });
  }),
);
const watch = (overrides: Partial<Parameters<typeof watchRoom>[0]> = {}) =>
  watchRoom({
    client,
    roomName: "talk",
    onEvent: ({ cursor }) => void seen.push(cursor),
    onState: (state) => void states.push(state),
    onRestart: () => void seen.push("restart"),
    signal: leaving.signal,
    async wait(ms) {
      waits.push(ms);
    },
    settle: () => new Promise(() => undefined),
    whileOnline: () => (online = new AbortController()).signal,
    ...overrides,
  });
const unavailable = new ConnectError("away", Code.Unavailable);

test("after a cut it goes on from the last cursor", async () => {
  scripts = [["1", "2", unavailable], ["3", "end"], ["hang"]];
  await watch();
  expect(cursors).toEqual(["", "2", "3"]);
  expect(seen).toEqual(["1", "2", "3"]);
  expect(states).toEqual([
    "connecting",
    "live",
    "reconnecting",
    "live",
    "reconnecting",
    ...states.slice(5), // whether the last stream is live before the end is nobody's concern
  ]);
});

test("waits grow to ten seconds while nothing comes, and begin anew after an event", async () => {
  scripts = [...Array.from({ length: 7 }, () => [unavailable]), ["1", unavailable], ["hang"]];
  await watch();
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 500]);
});

test("a cursor that is not there any more begins the room anew", async () => {
  scripts = [["7", unavailable], [new ConnectError("erased", Code.OutOfRange)], ["1"], ["hang"]];
  await watch();
  expect(cursors.slice(0, 3)).toEqual(["", "7", ""]);
  expect(seen).toEqual(["7", "restart", "1"]);
});

test.each([Code.NotFound, Code.PermissionDenied, Code.InvalidArgument, Code.Unimplemented])(
  "code %i is not tried again",
  async (code) => {
    scripts = [[new ConnectError("no", code)]];
    await watch();
    expect(states.at(-1)).toBe("failed");
    expect(waits).toEqual([]);
  },
);

test("a token that ends in the middle is replaced; one that is refused twice is not good", async () => {
  const refused = new ConnectError("expired", Code.Unauthenticated);
  scripts = [["1", refused], ["2", refused], [refused]];
  await watch();
  expect(seen).toEqual(["1", "2"]);
  expect(states.at(-1)).toBe("failed");
  expect(scripts).toEqual([]);
});

test("without a sign-in it fails, unless the provider may answer later", async () => {
  let failures = 0;
  await watch({
    client: {
      watchSession() {
        failures += 1;
        const error = new SignInError(failures < 3 ? "provider" : "expired", "no", {
          retryable: failures < 3,
        });
        throw ConnectError.from(error); // as it comes out of a client whose interceptor threw it
      },
    },
  });
  expect(failures).toBe(3);
  expect(states.at(-1)).toBe("failed");
});

test("going offline ends the stream at once, and is no failure", async () => {
  scripts = [["1", "hang"], ["2"], ["hang"]];
  await watch({
    onEvent({ cursor }) {
      seen.push(cursor);
      if (cursor === "1") setTimeout(() => online.abort(new Error("offline")));
    },
  });
  expect(seen).toEqual(["1", "2"]);
  expect(states).toContain("reconnecting");
});

test("leaving ends it without another word", async () => {
  scripts = [["1", "hang"]];
  await watch();
  expect(states.filter((state) => state === "reconnecting" || state === "failed")).toEqual([]);
});

test("a silent room counts as open when it was not refused for a while; a refused one does not", async () => {
  const settled = Promise.withResolvers<undefined>();
  scripts = [["hang"], ["hang"]];
  const watching = watch({
    settle: () => settled.promise,
    onState(state) {
      states.push(state);
      if (state === "live") leaving.abort();
    },
  });
  settled.resolve(undefined);
  await watching;
  expect(states).toEqual(["connecting", "live"]);

  states = [];
  leaving = new AbortController();
  scripts = [[new ConnectError("no", Code.NotFound)]];
  const late = Promise.withResolvers<undefined>();
  await watch({ settle: () => late.promise });
  late.resolve(undefined);
  await late.promise;
  expect(states.at(-1)).toBe("failed");
});
