/**
 * `parley audit`: reads the audit log of a server, and checks its chain: every hash is computed again here, so that the server
 * is taken at its word for nothing but what it lists.
 */
import { toJsonString } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Command, InvalidArgumentError } from "commander";
import { AuditEventSchema } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type { AuditEvent as ListedEvent } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type { AuditEvent, ChainLink } from "../../token/audit/audit-event.ts";
import { formatLink, parseLink } from "../../token/audit/chain-link.ts";
import { verifyChain } from "../../token/audit/verify-chain.ts";
import type { ChainFault, ChainVerdict } from "../../token/audit/verify-chain.ts";
import { CliError } from "../cli-error.ts";
import { callServer, withServerOptions } from "../connect.ts";
import type { Clients, ServerOptions } from "../connect.ts";
import { printable } from "../screen/printable.ts";

interface ListOptions extends ServerOptions {
  readonly actor?: string;
  readonly json?: true;
}

interface VerifyOptions extends ServerOptions {
  readonly expect?: ChainLink;
  readonly database?: true;
}

const scope = "scope admin";

export function auditCommand(): Command {
  const audit = new Command("audit").description(
    "read the audit log, and check that nothing in it was changed",
  );
  const list = audit
    .command("list")
    .description("the events, oldest first: number, time, who, what, how it ended, to what, from where")
    .option("--actor <name>", "only of this one, such as user:ada or service:<id of an API key>")
    .option("--json", "one JSON object a line, with the hashes");
  withServerOptions(list, scope).action(listEvents);
  const verify = audit
    .command("verify")
    .description(
      "compute every hash again, follow every link, and print the head; note it outside for --expect",
    )
    .option(
      "--expect <head>",
      "a head that was noted earlier: it must still be in the chain, or the log was cut or rewritten since",
      readHead,
    )
    .option("--database", "read the configured database itself, without a server, and that its end is there");
  withServerOptions(verify, scope).action(verifyLog);
  return audit;
}

async function listEvents({ actor = "", json, ...options }: ListOptions): Promise<void> {
  await callServer(options, async (clients) => {
    for await (const event of allEvents(clients, actor)) {
      process.stdout.write(`${json ? toJsonString(AuditEventSchema, event) : describe(event)}\n`);
    }
  });
}

async function verifyLog({ expect, database, ...options }: VerifyOptions): Promise<void> {
  const noted = expect ? [expect] : [];
  const verdict = database ? await verifyDatabase(noted) : await verifyServer(options, noted);
  printVerdict(verdict);
  const { length } = verdict.faults;
  if (length > 0)
    throw new CliError(`the audit log is not whole: ${length} ${length === 1 ? "fault" : "faults"}`);
}

async function verifyServer(options: ServerOptions, noted: readonly ChainLink[]): Promise<ChainVerdict> {
  return callServer(options, async (clients) => {
    // This reading is an event too. It follows on what the log really ended with, and shows if that was taken away.
    await clients.tokens.listAuditEvents({ pageSize: 1 });
    return verifyChain(readEvents(clients), { noted });
  });
}

async function verifyDatabase(noted: readonly ChainLink[]): Promise<ChainVerdict> {
  const { verifyAuditLog } = await import("../../verify-audit-log.ts"); // half a second that others need not wait
  return verifyAuditLog(noted);
}

async function* readEvents(clients: Clients): AsyncGenerator<AuditEvent> {
  for await (const { sequence, createTime, ...event } of allEvents(clients, "")) {
    yield {
      ...event,
      sequence: Number(sequence),
      createTime: new Date(createTime ? timestampMs(createTime) : NaN),
    };
  }
}

async function* allEvents({ tokens }: Clients, actor: string): AsyncGenerator<ListedEvent> {
  let pageToken = "";
  do {
    const page = await tokens.listAuditEvents({ actor, pageToken, pageSize: 500 });
    yield* page.events;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

function describe(event: ListedEvent): string {
  const time = event.createTime ? new Date(timestampMs(event.createTime)).toISOString() : "";
  const { sequence, actor, action, outcome, subject, peerAddress } = event;
  return [sequence, time, actor, action, outcome, subject, peerAddress]
    .map((part) => printable(String(part)))
    .join("  ")
    .trimEnd();
}

function printVerdict({ count, prunedThrough, head, faults }: ChainVerdict): void {
  const lines = [
    ...faults.map(describeFault),
    count === 1 ? "1 event read" : `${count} events read`,
    ...(prunedThrough === undefined
      ? []
      : [`events up to ${prunedThrough} were pruned, as the log itself says`]),
    ...(count === 0 ? [] : [`head ${formatLink(head)}`]),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function describeFault(fault: ChainFault): string {
  const event = `event ${fault.sequence}`;
  switch (fault.kind) {
    case "changed":
      return `${event} was changed: its hash is not that of what it says`;
    case "detached":
      return fault.sequence === 1
        ? `${event} was changed: it says that another came before it`
        : `${event} does not follow on event ${fault.sequence - 1}: one of them is another than it was`;
    case "misplaced":
      return `${event} comes after event ${fault.afterSequence}: it was moved, or is there twice`;
    case "missing":
      return fault.throughSequence === fault.sequence
        ? `${event} is missing`
        : `events ${fault.sequence} to ${fault.throughSequence} are missing`;
    case "rewritten":
      return `${event} is not the one that was noted: the log was rewritten`;
    case "cut":
      return `${event} was in the log, which ends with event ${fault.headSequence} now: its end was taken away`;
    case "pruned":
      return `${event} was pruned since it was noted: note a newer head more often`;
  }
}

function readHead(value: string): ChainLink {
  const head = parseLink(value);
  if (head) return head;
  throw new InvalidArgumentError(
    "expected a head as this command prints it: a number, a colon, 64 hex digits.",
  );
}
