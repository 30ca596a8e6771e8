/** `parley sessions`: what a running server has heard, and transcripts as files. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command, Option } from "commander";
import { writeFile } from "node:fs/promises";
import { SessionState, TranscriptFormat } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Session } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { CliError } from "../cli-error.ts";
import { callServer, withServerOptions } from "../connect.ts";
import type { ServerOptions } from "../connect.ts";
import { formatTime } from "../screen/format-time.ts";
import { printable } from "../screen/printable.ts";

interface ListOptions extends ServerOptions {
  readonly room?: string;
  readonly user?: string;
}

interface ExportOptions extends ServerOptions {
  readonly format: keyof typeof formats;
  readonly output?: string;
}

const formats = {
  vtt: TranscriptFormat.VTT,
  srt: TranscriptFormat.SRT,
  txt: TranscriptFormat.TXT,
  json: TranscriptFormat.JSON,
} as const;

const scope = "scope transcripts";

export function sessionsCommand(): Command {
  const sessions = new Command("sessions").description("list sessions and export their transcripts");
  const list = sessions
    .command("list")
    .description("the sessions, newest first: id, start, state, length, room, speaker")
    .option("--room <name>", "only of this room")
    .option("--user <id>", "only of this user");
  withServerOptions(list, scope).action(listSessions);
  const exportOne = sessions
    .command("export")
    .description("the transcript of a session as a file; also while it runs")
    .argument("<session-id>", "the session")
    .addOption(
      new Option("--format <format>", "kind of file").choices(Object.keys(formats)).makeOptionMandatory(),
    )
    .option("--output <file>", "where to write it, over what is there (default: stdout)");
  withServerOptions(exportOne, scope).action(exportSession);
  return sessions;
}

async function listSessions(options: ListOptions): Promise<void> {
  await callServer(options, async ({ transcription }) => {
    let pageToken = "";
    do {
      const page = await transcription.listSessions({
        pageSize: 200,
        pageToken,
        ...(options.room !== undefined && { roomName: options.room }),
        ...(options.user !== undefined && { userId: options.user }),
      });
      for (const session of page.sessions) process.stdout.write(`${describe(session)}\n`);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  });
}

async function exportSession(sessionId: string, options: ExportOptions): Promise<void> {
  const { content } = await callServer(options, ({ transcription }) =>
    transcription.exportTranscript({ sessionId, format: formats[options.format] }),
  );
  const text = content === "" || content.endsWith("\n") ? content : `${content}\n`;
  if (options.output === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(options.output, text);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "error";
    throw new CliError(`--output: ${options.output} cannot be written (${reason})`, 2, error);
  }
}

function describe(session: Session): string {
  const start = session.createTime ? timestampDate(session.createTime).toISOString().slice(0, 19) : "";
  const hasEnded = session.state === SessionState.ENDED;
  return [
    session.sessionId,
    `${start}Z`,
    (stateNames[session.state] ?? "").padEnd(11),
    (hasEnded ? formatTime(session.durationMs) : "").padStart(8),
    printable(session.roomName),
    printable(session.participantIdentity),
  ].join("  ");
}

const stateNames: Partial<Readonly<Record<SessionState, string>>> = {
  [SessionState.ACTIVE]: "active",
  [SessionState.INTERRUPTED]: "interrupted",
  [SessionState.ENDED]: "ended",
};
