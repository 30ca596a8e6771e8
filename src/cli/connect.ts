/** How commands reach a server: the generated clients over gRPC, with an API key. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client, Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { readConfig } from "../config.ts";
import { readLocalSecrets } from "../token/local-secrets.ts";
import { CliError } from "./cli-error.ts";

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

export const defaultUrl = "http://localhost:3001";

export function connect({ url, credential }: ServerAddress): Clients {
  if (!/^https?:\/\//.test(url))
    throw new CliError(`--url: expected a URL that begins with http:// or https://`, 2);
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

/** The given address and key; by default this machine's server and the development key in its DATA_DIR. */
export async function findServer(options: {
  readonly url?: string;
  readonly apiKey?: string;
}): Promise<ServerAddress> {
  const config = readConfig();
  const url = options.url ?? `${config.tls ? "https" : "http"}://localhost:${config.port}`;
  if (options.apiKey !== undefined) return { url, credential: options.apiKey };
  const secrets = await readLocalSecrets(config.dataDir);
  if (!secrets) throw new CliError("--api-key is needed: there is no development key in DATA_DIR", 2);
  return { url, credential: secrets.developmentApiKey };
}

/** What went wrong with a call, in one line. */
export function explainFailure(error: unknown, url: string): CliError {
  if (!(error instanceof ConnectError)) throw error;
  const failure = error;
  if (failure.code === Code.Unavailable && /ECONNREFUSED|ENOTFOUND|ECONNRESET/.test(failure.message)) {
    return new CliError(`no server answers at ${url}; start one with "npm start", or use --local`, 1, error);
  }
  return new CliError(`${Code[failure.code]}: ${failure.rawMessage}`, 1, error);
}
