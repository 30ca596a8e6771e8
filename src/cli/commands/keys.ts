/** `parley keys`: make, list and revoke API keys, through a running server. */
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Command, InvalidArgumentError } from "commander";
import type { ApiKey, ListApiKeysResponse } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { apiKeyScopes } from "../../token/api-keys/api-key-store.ts";
import type { ApiKeyScope } from "../../token/api-keys/api-key-store.ts";
import { callServer, withServerOptions } from "../connect.ts";
import type { ServerOptions } from "../connect.ts";
import { printable } from "../screen/printable.ts";

export function keysCommand(): Command {
  const keys = new Command("keys").description("make, list and revoke API keys");
  const create = keys
    .command("create")
    .description("make an API key; it is printed this once")
    .argument("<name>", "what it is for")
    .requiredOption("--scopes <list>", `what it may do: of ${apiKeyScopes.join(",")}`, readScopes)
    .option("--days <number>", "stops working after so many days (default: never)", readDays);
  create.option(
    "--database",
    "write it into the configured database itself, without a server; for the first key",
  );
  withServerOptions(create, adminScope).action(
    async (
      name: string,
      options: ServerOptions & { scopes: ApiKeyScope[]; days?: number; database?: true },
    ) => {
      const { scopes } = options;
      if (options.database) {
        process.stdout.write(`${await writeKey(name, options)}\n`);
        return;
      }
      const expireTime =
        options.days === undefined ? undefined : timestampFromMs(Date.now() + options.days * 86_400_000);
      const made = await callServer(options, ({ tokens }) =>
        tokens.createApiKey({ displayName: name, scopes, ...(expireTime && { expireTime }) }),
      );
      process.stdout.write(`${made.key}\n`);
    },
  );
  withServerOptions(keys.command("list"), adminScope)
    .description("the API keys, newest first, without their secrets")
    .action(async (options: ServerOptions) => {
      let pageToken = "";
      do {
        const page = await listKeys(options, pageToken);
        for (const key of page.apiKeys) process.stdout.write(`${describe(key)}\n`);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    });
  withServerOptions(keys.command("revoke"), adminScope)
    .description("revoke an API key at once")
    .argument("<id>", "its id: the part between pk_ and the secret")
    .action(async (apiKeyId: string, options: ServerOptions) => {
      const { apiKey } = await callServer(options, ({ tokens }) => tokens.revokeApiKey({ apiKeyId }));
      if (apiKey) process.stdout.write(`${describe(apiKey)}\n`);
    });
  return keys;
}

const adminScope = "scope admin";

async function writeKey(
  displayName: string,
  { scopes, days }: { scopes: ApiKeyScope[]; days?: number },
): Promise<string> {
  const { writeApiKey } = await import("../../write-api-key.ts"); // half a second that other commands need not wait
  const expireTime = days === undefined ? undefined : new Date(Date.now() + days * 86_400_000);
  return writeApiKey({ displayName, scopes, ...(expireTime && { expireTime }) });
}

function listKeys(options: ServerOptions, pageToken: string): Promise<ListApiKeysResponse> {
  return callServer(options, ({ tokens }) => tokens.listApiKeys({ pageToken, pageSize: 200 }));
}

function describe(key: ApiKey): string {
  const day = (time: ApiKey["createTime"]) => (time ? timestampDate(time).toISOString().slice(0, 10) : "");
  const state = key.revokeTime
    ? `revoked ${day(key.revokeTime)}`
    : key.expireTime
      ? `good until ${day(key.expireTime)}`
      : "good";
  return `${key.apiKeyId}  ${day(key.createTime)}  ${state}  ${key.scopes.join(",")}  ${printable(key.displayName)}`;
}

function readScopes(value: string): ApiKeyScope[] {
  const scopes = value.split(",").map((scope) => scope.trim());
  const isScope = (scope: string): scope is ApiKeyScope =>
    (apiKeyScopes as readonly string[]).includes(scope);
  if (new Set(scopes).size < scopes.length || !scopes.every(isScope)) {
    throw new InvalidArgumentError(`expected some of ${apiKeyScopes.join(", ")}, separated by commas.`);
  }
  return scopes;
}

function readDays(value: string): number {
  const days = Number(value);
  if (!/^\d+$/.test(value) || days < 1 || days > 36_500) {
    throw new InvalidArgumentError("expected a whole number of days, 1 to 36500.");
  }
  return days;
}
