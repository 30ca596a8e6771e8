/** `parley transcribe`: a recording through the whole server, with live captions, figures and the report. */
import { create, toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { InterviewState } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Report } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { Target } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import {
  SessionSummarySchema,
  WarningSchema,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createTranscription } from "../../client/index.ts";
import type { Transcription } from "../../client/index.ts";
import { CliError } from "../cli-error.ts";
import { connect, explainFailure, findServer, transportTo, withServerOptions } from "../connect.ts";
import type { ServerAddress, ServerOptions } from "../connect.ts";
import { interruptible } from "../interruptible.ts";
import { startLocalServer } from "../local-server.ts";
import { openCaptionScreen, warningScreen } from "../screen/caption-screen.ts";
import type { CaptionScreen } from "../screen/caption-screen.ts";
import { columnsOf, wrapLines } from "../screen/fit-text.ts";
import { formatReport, formatSummary } from "../screen/print-summary.ts";
import { streamFile } from "../stream-file.ts";
import { openWav } from "../wav/open-wav.ts";
import type { WavFile } from "../wav/open-wav.ts";
import { toStreamAudio } from "../wav/to-stream-audio.ts";

export interface TranscribeOptions {
  readonly room?: string;
  readonly identity: string;
  readonly question?: string;
  readonly realtime?: boolean;
  readonly separateChannels?: boolean;
  readonly json?: boolean;
}

/** A server that restarts is back sooner; whoever sits at the screen waits no longer. */
const giveUpAfterMs = 60_000;

export function transcribeCommand(): Command {
  const command = new Command("transcribe")
    .description("recognise a WAV file and print captions, delivery figures and the report")
    .argument("<file>", "a WAV file, 8 to 48 kHz, up to 8 channels")
    .option("--room <name>", "room of the session (default: a new one)")
    .option("--identity <name>", "who speaks", "speaker")
    .option("--question <text>", "the question that is answered, for the report")
    .option("--realtime", "send no faster than it was spoken")
    .option("--separate-channels", "each channel is a speaker of its own (default: they are mixed)")
    .option("--json", "print the summary as one JSON object on stdout, and nothing else")
    .option("--local", "start everything in this process, on a free port, with a throw-away database");
  return withServerOptions(command, "scopes tokens and analysis").action(
    async (file: string, options: TranscribeOptions & ServerOptions & { readonly local?: boolean }) => {
      const wav = await openWav(file);
      if (wav.missingFrames > 0) {
        const thereSeconds = (wav.durationMs / 1000).toFixed(1);
        process.stderr.write(`${file} is cut short; transcribing the ${thereSeconds} s that are there\n`);
      }
      await interruptible(async (signal) => {
        if (options.local !== true) {
          await transcribe(wav, await findServer(options), options, signal);
          return;
        }
        const server = await startLocalServer(signal);
        try {
          await transcribe(wav, server.address, options, signal);
        } finally {
          await server.stop();
        }
      });
    },
  );
}

/** Runs one session and prints what came of it. */
export async function transcribe(
  wav: WavFile,
  server: ServerAddress,
  options: TranscribeOptions,
  signal: AbortSignal,
): Promise<void> {
  const print = (text: string) => process.stdout.write(`\n${wrapLines(text, columnsOf(process.stdout))}\n`);
  try {
    const summary = await runSession(wav, server, options, signal);
    if (options.json === true) {
      const json = toJson(SessionSummarySchema, summary, { alwaysEmitImplicit: true });
      process.stdout.write(`${JSON.stringify(json)}\n`);
      return;
    }
    print(formatSummary(summary));
    print(formatReport(await waitForReport(summary.interviewId, server, signal)));
  } catch (error) {
    throw explainFailure(error, server.url);
  }
}

async function runSession(
  wav: WavFile,
  server: ServerAddress,
  options: TranscribeOptions,
  signal: AbortSignal,
): Promise<SessionSummary> {
  const token = await mintTokens(server, options, signal);
  const screen =
    options.json === true
      ? warningScreen(process.stderr)
      : openCaptionScreen({ output: process.stdout, durationMs: wav.durationMs });
  const audio = toStreamAudio(wav.format, { separateChannels: options.separateChannels ?? false });
  const transcription = createTranscription({
    transport: () => transportTo(server.url),
    token,
    config: {
      encoding: audio.encoding,
      sampleRateHz: wav.format.sampleRateHz,
      channelCount: audio.channelCount,
      analyzeOnEnd: true,
      ...(options.question !== undefined && { caseQuestion: options.question }),
    },
    signal,
    timing: { giveUpAfterMs },
    onStateChange(state) {
      if (state !== "reconnecting") return;
      const message = "the connection is lost; trying again";
      screen.show({ case: "warning", value: create(WarningSchema, { message }) });
    },
  });
  try {
    const [summary] = await Promise.all([
      showEvents(transcription, screen),
      streamFile(wav, transcription, { audio, realtime: options.realtime ?? false, signal }),
    ]);
    return summary;
  } finally {
    screen.close();
  }
}

/** Mints the first token, so that what is wrong with server, key or room is said at once; the function mints the next. */
async function mintTokens(
  server: ServerAddress,
  options: TranscribeOptions,
  signal: AbortSignal,
): Promise<() => Promise<string>> {
  const { tokens } = connect(server);
  const mint = (roomName: string | undefined) =>
    tokens.createSessionTokens(
      {
        participantIdentity: options.identity,
        targets: [Target.TRANSCRIPTION],
        ...(roomName !== undefined && { roomName }),
      },
      { signal },
    );
  const first = await mint(options.room);
  let unused: string | undefined = first.transcriptionToken;
  return async () => {
    const token = unused ?? (await mint(first.roomName)).transcriptionToken;
    unused = undefined;
    return token;
  };
}

async function showEvents(transcription: Transcription, screen: CaptionScreen): Promise<SessionSummary> {
  let summary: SessionSummary | undefined;
  for await (const event of transcription) {
    if (event.case === "sessionSummary") summary = event.value;
    else screen.show(event);
  }
  if (!summary) throw new CliError("the server ended the session without a summary");
  return summary;
}

async function waitForReport(
  interviewId: string,
  server: ServerAddress,
  signal: AbortSignal,
): Promise<Report> {
  for await (const { interview } of connect(server).analysis.watchInterview({ interviewId }, { signal })) {
    if (interview?.state === InterviewState.FAILED)
      throw new CliError(`the analysis failed: ${interview.failureCause}`);
    if (interview?.report) return interview.report;
  }
  throw new CliError("the server ended the analysis without a report");
}
