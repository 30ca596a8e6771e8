/** `parley keys`: make, list and revoke API keys, through a running server. */
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Command, InvalidArgumentError } from "commander";
import type { ApiKey, ListApiKeysResponse } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type { Clients } from "../connect.ts";
import { connect, explainFailure, findServer } from "../connect.ts";

interface KeyOptions {
  readonly url?: string;
  readonly apiKey?: string;
}

export function keysCommand(): Command {
  const keys = new Command("keys").description("make, list and revoke API keys");
  withServer(keys.command("create"))
    .description("make an API key; it is printed this once")
    .argument("<name>", "what it is for")
    .requiredOption(
      "--scopes <list>",
      "tokens, rooms, transcripts, analysis, stats, admin; separated by commas",
    )
    .option("--days <number>", "stops working after so many days", readDays)
    .action(async (name: string, options: KeyOptions & { scopes: string; days?: number }) => {
      const scopes = options.scopes.split(",").map((scope) => scope.trim());
      const expireTime =
        options.days === undefined ? undefined : timestampFromMs(Date.now() + options.days * 86_400_000);
      const made = await call(options, ({ tokens }) =>
        tokens.createApiKey({ displayName: name, scopes, ...(expireTime && { expireTime }) }),
      );
      process.stdout.write(`${made.key}\n`);
    });
  withServer(keys.command("list"))
    .description("the API keys, newest first, without their secrets")
    .action(async (options: KeyOptions) => {
      let pageToken = "";
      do {
        const page = await listKeys(options, pageToken);
        for (const key of page.apiKeys) process.stdout.write(`${describe(key)}\n`);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    });
  withServer(keys.command("revoke"))
    .description("revoke an API key at once")
    .argument("<id>", "its id: the part between pk_ and the secret")
    .action(async (apiKeyId: string, options: KeyOptions) => {
      const { apiKey } = await call(options, ({ tokens }) => tokens.revokeApiKey({ apiKeyId }));
      if (apiKey) process.stdout.write(`${describe(apiKey)}\n`);
    });
  return keys;
}

function withServer(command: Command): Command {
  return command
    .option("--url <url>", "the server (default: this machine's)")
    .option("--api-key <key>", "an API key with the scope admin (default: the development key)");
}

function listKeys(options: KeyOptions, pageToken: string): Promise<ListApiKeysResponse> {
  return call(options, ({ tokens }) => tokens.listApiKeys({ pageToken, pageSize: 200 }));
}

async function call<T>(options: KeyOptions, work: (clients: Clients) => Promise<T>): Promise<T> {
  const server = await findServer(options);
  try {
    return await work(connect(server));
  } catch (error) {
    throw explainFailure(error, server.url);
  }
}

function describe(key: ApiKey): string {
  const day = (time: ApiKey["createTime"]) => (time ? timestampDate(time).toISOString().slice(0, 10) : "");
  const state = key.revokeTime
    ? `revoked ${day(key.revokeTime)}`
    : key.expireTime
      ? `good until ${day(key.expireTime)}`
      : "good";
  return `${key.apiKeyId}  ${day(key.createTime)}  ${state}  ${key.scopes.join(",")}  ${key.displayName}`;
}

function readDays(value: string): number {
  const days = Number(value);
  if (!(days > 0 && days <= 36_500)) throw new InvalidArgumentError("expected a number of days, 1 to 36500.");
  return days;
}
