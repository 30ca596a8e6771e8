/**
 * `parley token inspect`: what a token is, what each of its claims says, whether it would be let in, and what is dangerous about
 * it. It never prints the signature, with which the rest would be the token again, and trusts no text of it.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { Command, Option } from "commander";
import { Target, TokenKind } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type { ValidateTokenResponse } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { maxTokenBytes, peekToken } from "../../token/jwt/verify-jwt.ts";
import type { Claims } from "../../token/jwt/verify-jwt.ts";
import { refreshTokenAudience, sessionTargets } from "../../token/refresh/refresh-token.ts";
import type { SessionTarget } from "../../token/refresh/refresh-token.ts";
import { TokenError } from "../../token/token-error.ts";
import type { TokenQuestion, Verdict } from "../../token/targets/verdict.ts";
import { CliError } from "../cli-error.ts";
import { connect, explainFailure, findServer, withServerOptions } from "../connect.ts";
import type { ServerAddress, ServerOptions } from "../connect.ts";
import { explainClaims, explainHeader } from "../inspect/explain-claims.ts";
import type { ExplainedClaim } from "../inspect/explain-claims.ts";
import { findDangers } from "../inspect/find-dangers.ts";
import { judgeHere } from "../inspect/judge-here.ts";
import { printable } from "../screen/printable.ts";

interface InspectOptions extends ServerOptions {
  readonly target?: SessionTarget;
  readonly room?: string;
  readonly tenant?: string;
}

export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description("say what a token is, explain its claims, and whether it would be let in")
    .argument(
      "<token>",
      "the token; `-` reads it from standard input, which leaves no trace in the shell's history",
    )
    .addOption(
      new Option("--target <server>", "the server that would let it in (default: the one it is for)").choices(
        sessionTargets,
      ),
    )
    .option("--room <name>", "the room that would be entered")
    .option("--tenant <name>", "for jitsi: the tenant of the meeting");
  return withServerOptions(command, "any scope").action(inspect);
}

/** What was found out of a token. */
interface Judgement {
  /** Absent: nobody could say. */
  readonly verdict?: Pick<Verdict, "detail" | "kind" | "moderation"> & { readonly isGood: boolean };
  /** Who judged, or why nobody did; a sentence. */
  readonly by: string;
}

async function inspect(argument: string, options: InspectOptions): Promise<void> {
  const token = (argument === "-" ? await readInput() : argument).trim();
  const { header, claims } = decode(token);
  const nowMs = Date.now();
  const judgement = await judge(token, options, nowMs);
  const kind = judgement.verdict?.kind ?? guessKind(claims);
  const dangers = findDangers({ header, claims, ...(kind && { kind }) }, nowMs);
  const lines = [
    ...headlines(judgement, claims),
    "",
    "Header",
    ...table(explainHeader(header)),
    "",
    "Claims",
    ...table(explainClaims(claims, nowMs)),
    ...(dangers.length === 0 ? [] : ["", "Dangers", ...dangers.map((danger) => `  ! ${danger}`)]),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** No more than a token can have, and what tells that it is longer. */
async function readInput(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > 2 * maxTokenBytes) break;
  }
  return text;
}

function decode(token: string): { readonly header: Claims; readonly claims: Claims } {
  try {
    return peekToken(token);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw new CliError(`that is not a token: ${error.message}`, 2);
  }
}

/** By a server, which knows what was revoked; by the secrets of this machine where no server answers and none was named. */
async function judge(token: string, options: InspectOptions, nowMs: number): Promise<Judgement> {
  const question = {
    ...(options.room !== undefined && { roomName: options.room }),
    ...(options.tenant !== undefined && { tenant: options.tenant }),
  };
  const answer = await askServer(token, options, question);
  if (answer) return answer;
  const verdict = await judgeHere(token, options.target, question, nowMs);
  if (!verdict)
    return { by: "Not verified: no server answers, and this machine has no secret to verify it with." };
  return {
    verdict: { ...verdict, isGood: verdict.reason === "ok" },
    by: "Judged here, with the secrets of this machine; whether it was revoked is not known.",
  };
}

/** Undefined when no server answers, or none to which this machine has a key, and neither was named. */
async function askServer(
  token: string,
  options: InspectOptions,
  question: TokenQuestion,
): Promise<Judgement | undefined> {
  const isNamed =
    options.url !== undefined || options.apiKey !== undefined || options.apiKeyFile !== undefined;
  let server: ServerAddress;
  try {
    server = await findServer(options);
  } catch (error) {
    if (isNamed || !(error instanceof CliError)) throw error;
    return undefined; // no server has run here
  }
  try {
    const target = options.target === undefined ? Target.UNSPECIFIED : targets[options.target];
    const answer = await connect(server).tokens.validateToken({ token, target, ...question });
    return { verdict: readAnswer(answer), by: `Judged by the server at ${server.url}.` };
  } catch (error) {
    if (!isNamed && error instanceof ConnectError && goesOnHere.has(error.code)) return undefined;
    throw explainFailure(error, server.url);
  }
}

const goesOnHere: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Unauthenticated]);

const targets: Readonly<Record<SessionTarget, Target>> = {
  livekit: Target.LIVEKIT,
  transcription: Target.TRANSCRIPTION,
  jitsi: Target.JITSI,
  sfu: Target.SFU,
};

const kinds: Readonly<Record<TokenKind, Verdict["kind"]>> = {
  [TokenKind.UNSPECIFIED]: undefined,
  [TokenKind.USER]: "user",
  [TokenKind.TRANSCRIPTION]: "transcription",
  [TokenKind.LIVEKIT]: "livekit",
  [TokenKind.JITSI]: "jitsi",
  [TokenKind.SFU]: "sfu",
  [TokenKind.REFRESH]: "refresh",
};

function readAnswer(answer: ValidateTokenResponse): NonNullable<Judgement["verdict"]> {
  const kind = kinds[answer.kind];
  return {
    isGood: answer.valid,
    detail: answer.detail,
    ...(kind && { kind }),
    ...(answer.jitsiModeration && { moderation: answer.jitsiModeration }),
  };
}

const names: Readonly<Record<NonNullable<Verdict["kind"]>, string>> = {
  user: "A user's login at Parley",
  transcription: "A token for Transcribe",
  refresh: "A refresh token",
  livekit: "A token for LiveKit",
  jitsi: "A token for Jitsi",
  sfu: "A token for the SFU",
};

function headlines({ verdict, by }: Judgement, claims: Claims): readonly string[] {
  const guess = guessKind(claims);
  const what = verdict?.kind
    ? `${names[verdict.kind]}.`
    : guess
      ? `${names[guess]}, by what it says of itself.`
      : "A token that does not say what it is for.";
  if (!verdict) return [what, by];
  const { moderation } = verdict;
  return [
    `${what} It would ${verdict.isGood ? "be let in" : `not be let in: ${printable(verdict.detail)}`}.`,
    ...(moderation ? [describeModeration(moderation)] : []),
    by,
  ];
}

function describeModeration(moderation: NonNullable<Verdict["moderation"]>): string {
  const plugins = [
    ...(moderation.tokenAffiliation ? ["token_affiliation"] : []),
    ...(moderation.tokenModeration ? ["token_moderation"] : []),
  ];
  return plugins.length === 0
    ? "No plug-in of Prosody's would make its bearer a moderator."
    : `Its bearer would moderate where Prosody has the plug-in ${plugins.join(" or ")}.`;
}

/** Unverified: only to call it something. */
function guessKind(claims: Claims): Verdict["kind"] {
  const has = (name: string) => Object.hasOwn(claims, name);
  if (has("video")) return "livekit";
  if (claims["aud"] === "jitsi" || (has("context") && has("room"))) return "jitsi";
  if (has("participantIdentity")) return "transcription";
  if (claims["aud"] === refreshTokenAudience) return "refresh";
  if (has("user_id") && !has("iss")) return "sfu";
  return has("sub") ? "user" : undefined;
}

/** Names and values in columns. */
function table(claims: readonly ExplainedClaim[]): readonly string[] {
  const width = (of: "name" | "value") =>
    Math.min(32, Math.max(0, ...claims.map((claim) => claim[of].length)));
  const [nameWidth, valueWidth] = [width("name"), width("value")];
  return claims.map(({ name, value, meaning }) =>
    `  ${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${meaning}`.trimEnd(),
  );
}
