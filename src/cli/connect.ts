/** How commands reach a server: the options that name it, and the generated clients over gRPC with an API key. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client, Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Option } from "commander";
import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { TranscriptionError } from "../client/index.ts";
import { readConfig } from "../config.ts";
import { readLocalSecrets } from "../token/keys/local-secrets.ts";
import { CliError } from "./cli-error.ts";

export interface ServerOptions {
  readonly url?: string;
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
}

export interface ServerAddress {
  readonly url: string;
  /** An API key or a token. */
  readonly credential: string;
}

export interface Clients {
  readonly tokens: Client<typeof TokenService>;
  readonly transcription: Client<typeof TranscriptionService>;
  readonly analysis: Client<typeof AnalysisService>;
}

/** Adds the options of ServerOptions; `scopes` says which the API key needs. */
export function withServerOptions(command: Command, scopes: string): Command {
  return command
    .option("--url <url>", "the server (default: the one on this machine)")
    .addOption(
      new Option(
        "--api-key-file <file>",
        `a file that holds an API key with the ${scopes} (default: this machine's development key)`,
      ).conflicts("apiKey"),
    )
    .option("--api-key <key>", "the API key itself; other users of this machine can see it while this runs");
}

/** The given address and key; by default this machine's server and the development key in its DATA_DIR. */
export async function findServer(options: ServerOptions): Promise<ServerAddress> {
  const url = options.url === undefined ? localUrl() : checkUrl(options.url);
  if (options.apiKey !== undefined) return { url, credential: checkKey(options.apiKey, "--api-key") };
  if (options.apiKeyFile !== undefined) return { url, credential: await readKeyFile(options.apiKeyFile) };
  if (!isThisMachine(url)) {
    throw new CliError("a server on another machine needs its API key: use --api-key-file", 2);
  }
  const { dataDir } = readConfig();
  const secrets = await readLocalSecrets(dataDir);
  if (!secrets) {
    throw new CliError(
      `no server has run with the data folder ${dataDir}; start one with "npm start", use --local, or give an API key`,
    );
  }
  return { url, credential: secrets.developmentApiKey };
}

export function connect({ url, credential }: ServerAddress): Clients {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${credential}`);
    return next(request);
  };
  const transport = createGrpcTransport({ baseUrl: url, interceptors: [authorize] });
  return {
    tokens: createClient(TokenService, transport),
    transcription: createClient(TranscriptionService, transport),
    analysis: createClient(AnalysisService, transport),
  };
}

/** For one stream: with a connection of its own, which is closed when the server does not answer pings any more. */
export function transportTo(url: string): Transport {
  return createGrpcTransport({ baseUrl: url, pingIntervalMs: 3000, pingTimeoutMs: 3000 });
}

/** Finds the server and calls it. Rejects with what explainFailure says. */
export async function callServer<T>(
  options: ServerOptions,
  call: (clients: Clients) => Promise<T>,
): Promise<T> {
  const server = await findServer(options);
  try {
    return await call(connect(server));
  } catch (error) {
    throw explainFailure(error, server.url);
  }
}

/** What went wrong with a call, in one line; an error that is no answer to a call is returned as it is. */
export function explainFailure(error: unknown, url: string): unknown {
  if (error instanceof TranscriptionError) {
    if (error.cause instanceof ConnectError) return explainFailure(error.cause, url);
    return new CliError(error.message, error.code === "invalid" ? 2 : 1, error);
  }
  if (!(error instanceof ConnectError)) return error;
  const message = error.rawMessage.replace(/\s+/g, " ");
  switch (error.code) {
    case Code.Unauthenticated:
      return new CliError(`the server at ${url} does not accept this API key or token`, 1, error);
    case Code.PermissionDenied:
      return new CliError(`not allowed: ${message}`, 1, error);
    case Code.InvalidArgument:
      return new CliError(message, 2, error);
    case Code.NotFound:
      return new CliError(message, 1, error);
    default:
      break;
  }
  const networkCode = networkCodeOf(error);
  if (networkCode !== undefined && notListening.has(networkCode)) {
    return new CliError(`no server answers at ${url}; start one with "npm start", or use --local`, 1, error);
  }
  if (networkCode !== undefined) {
    return new CliError(`no connection to ${url} as a Parley server (${networkCode})`, 1, error);
  }
  return new CliError(`${message} (${Code[error.code]})`, 1, error);
}

const notListening: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/** The code of the network's or TLS's own error, which Connect keeps as the cause. */
function networkCodeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return undefined;
}

function localUrl(): string {
  const { tls, port } = readConfig();
  return `${tls ? "https" : "http"}://localhost:${port}`;
}

function checkUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed && /^https?:$/.test(parsed.protocol)) return url;
  throw new CliError("--url: expected a URL that begins with http:// or https://", 2);
}

/** The development key is this machine's secret: it is sent nowhere else. */
function isThisMachine(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

async function readKeyFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new CliError(`--api-key-file: ${path} cannot be read`, 2, error);
  }
  return checkKey(text.trim(), "--api-key-file");
}

/** What cannot be sent in a header is no key; the message never repeats it. */
function checkKey(key: string, option: string): string {
  if (!/^[\x21-\x7e]{1,8192}$/.test(key)) throw new CliError(`${option}: that is not an API key`, 2);
  return key;
}
