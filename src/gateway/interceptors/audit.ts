/**
 * Tells the audit log of each call that the table of audited calls names: who did what to what, and how it ended. To stand
 * outside the credentials interceptor, so that it sees whom that one turns away, and inside the deadline, so that it sees how
 * a call ended whose client waits no more. Refused credentials are that interceptor's own to tell.
 *
 * A stream is told of when it begins to answer, or when it ends before that. The answers of some changes wait for the log. One
 * that the log does not take within `maxWaitMs` is answered all the same: the change has happened, and an error would say that
 * it has not; its event stays in the queue, and the operator is told.
 */
import { create } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey } from "@connectrpc/connect";
import type { HandlerContext, Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Clock } from "../../clock.ts";
import { unknownActor } from "../../token/audit/audit-event.ts";
import type { AuditSink } from "../../token/audit/audit-event.ts";
import type { Repeats } from "../../token/audit/fold-repeats.ts";
import { nameSubject } from "../../token/audit/name-subject.ts";
import type { SubjectParts } from "../../token/audit/name-subject.ts";
import { nameCaller } from "../../token/caller.ts";
import { TokenError } from "../../token/token-error.ts";
import { peerKey } from "../adapter/call-context.ts";
import { auditedCalls } from "../audited-calls.ts";
import type { AuditedCall } from "../audited-calls.ts";
import { permissions } from "../permissions.ts";
import { callerKey } from "./credentials.ts";
import { toConnectError } from "./errors.ts";

export interface AuditOptions {
  readonly sink: AuditSink;
  readonly repeats: Pick<Repeats, "fold">;
  readonly clock: Clock;
  /** How long an answer waits for the log at most, in milliseconds. Default 2000. */
  readonly maxWaitMs?: number;
  /** Something an operator should see. */
  readonly onProblem: (message: string, error: unknown) => void;
}

/** What only a handler knows of its call. */
export interface AuditNotes {
  /** In place of the caller's name: for a call that brings its credential in the request. */
  readonly actor?: string;
  /** Besides what the table has, or in place of it. */
  readonly subject?: SubjectParts;
}

const notesKey = createContextKey<AuditNotes>({}, { description: "what a handler notes for the audit log" });

/** To be called by a handler before it answers or throws. */
export function noteForAudit(context: Pick<HandlerContext, "values">, notes: AuditNotes): void {
  const before = context.values.get(notesKey);
  context.values.set(notesKey, { ...before, ...notes, subject: { ...before.subject, ...notes.subject } });
}

export function auditInterceptor(options: AuditOptions): Interceptor {
  return (next) => async (request) => {
    const method = methodOf(request);
    const call = auditedCalls.get(method);
    if (!call) return next(request);
    if (request.stream) {
      const { seen, message } = firstMessageOf(request);
      const tell = (outcome: string) => record(options, call, { request, message: message(), outcome });
      return tellOfStream(async () => next(seen), request.signal, tell);
    }
    const { message } = request;
    let response;
    try {
      response = await next(request);
    } catch (error) {
      record(options, call, { request, message, outcome: outcomeOf(error, request.signal) });
      throw error;
    }
    record(options, call, { request, message, outcome: "ok", response: response.message as Message });
    if (call.awaited) await waitForLog(options, method);
    return response;
  };
}

interface Ended {
  readonly request: UnaryRequest | StreamRequest;
  readonly message: Message;
  /** `ok`, or why not. */
  readonly outcome: string;
  /** Of a unary call that was answered. */
  readonly response?: Message;
}

function record(options: AuditOptions, call: AuditedCall<Message, Message>, ended: Ended): void {
  const { contextValues } = ended.request;
  const caller = contextValues.get(callerKey);
  const notes = contextValues.get(notesKey);
  // Nobody was let in, so nothing was done; why, the credentials interceptor tells.
  if (!caller && permissions.get(methodOf(ended.request))?.open !== true) return;
  if (call.answered === "none" && !ended.outcome.startsWith(denied)) return;
  const address = contextValues.get(peerKey)?.address;
  const entry = {
    actor: notes.actor ?? (caller ? nameCaller(caller) : unknownActor),
    action: call.action,
    subject: nameSubject({ ...call.subject?.(ended.message, ended.response, caller), ...notes.subject }),
    outcome: ended.outcome,
    ...(address !== undefined && { peerAddress: address.replace(/^::ffff:(?=\d+\.)/i, "") }),
  };
  if (ended.outcome === "ok" && call.answered === "each") options.sink.record(entry);
  else options.repeats.fold(entry);
}

const denied = codeToString(Code.PermissionDenied);

/**
 * The code as clients know it; where it says too little, followed by the reason, in words of the server's own: what a token
 * lacked, which is for the log only, or what was forbidden.
 */
function outcomeOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted && error === signal.reason && !(error instanceof ConnectError))
    return codeToString(Code.Canceled);
  const { code, rawMessage } = toConnectError(error, () => undefined);
  if (error instanceof TokenError) return `${codeToString(code)}: ${error.code.replaceAll("-", "_")}`;
  return code === Code.PermissionDenied ? `${denied}: ${rawMessage}` : codeToString(code);
}

/** Never rejects. */
async function waitForLog(options: AuditOptions, method: string): Promise<void> {
  const { sink, clock, maxWaitMs = 2_000, onProblem } = options;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.after(maxWaitMs, () => reject(new Error(`the log took more than ${maxWaitMs} ms`)));
  try {
    await Promise.race([sink.flush(), late]);
  } catch (error) {
    onProblem(`a call of ${method} is answered, and its audit event is not written yet`, error);
  } finally {
    cancel();
  }
}

/** Tells once: when the answer begins, or when the stream ends before. */
async function tellOfStream<R extends { readonly stream: boolean; readonly message: unknown }>(
  next: () => Promise<R>,
  signal: AbortSignal,
  tell: (outcome: string) => void,
): Promise<R> {
  let isTold = false;
  const tellOnce = (outcome: string) => {
    if (!isTold) tell(outcome);
    isTold = true;
  };
  const fail = (error: unknown) => tellOnce(outcomeOf(error, signal));
  const response = await next().catch((error: unknown) => {
    fail(error);
    throw error;
  });
  // A peer that goes away may leave the iterator below hanging. After an answer this comes too late to matter.
  signal.addEventListener("abort", () => fail(signal.reason), { once: true });
  const messages = response.message as AsyncIterable<unknown>;
  return { ...response, message: noticeBegin(messages, { onBegin: () => tellOnce("ok"), onFailure: fail }) };
}

interface Notices {
  readonly onBegin: () => void;
  readonly onFailure: (error: unknown) => void;
}

function noticeBegin<T>(messages: AsyncIterable<T>, { onBegin, onFailure }: Notices): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      let hasBegun = false;
      return {
        next() {
          const result = iterator.next();
          if (!hasBegun) result.then(onBegin, onFailure);
          hasBegun = true;
          return result;
        },
        async return(value: unknown) {
          onFailure(new ConnectError("the reader left", Code.Canceled));
          return (await iterator.return?.(value)) ?? { done: true, value: undefined };
        },
      };
    },
  };
}

/** The one message of a server's stream, once it was read. Other streams are let through as they are: most is audio. */
function firstMessageOf(request: StreamRequest): { seen: StreamRequest; message: () => Message } {
  let first: Message | undefined;
  const message = () => first ?? create(request.method.input);
  if (request.method.methodKind !== "server_streaming") return { seen: request, message };
  async function* noteFirst() {
    for await (const each of request.message) {
      first ??= each as Message;
      yield each;
    }
  }
  return { seen: { ...request, message: noteFirst() }, message };
}

function methodOf({ service, method }: UnaryRequest | StreamRequest): string {
  return `${service.typeName}.${method.name}`;
}
