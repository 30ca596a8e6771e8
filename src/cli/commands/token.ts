/**
 * `parley token`: mints tokens to try things with, and tells what a token is. User tokens are signed here with the shared
 * secret, as an app's own backend does; all others come from a running server.
 */
import { Command, InvalidArgumentError } from "commander";
import { readConfig } from "../../config.ts";
import { readOrMakeLocalSecrets } from "../../token/keys/local-secrets.ts";
import { isName } from "../../token/read-name.ts";
import { issueUserToken } from "../../token/users/user-token.ts";
import { inspectCommand } from "./token-inspect.ts";
import { mintCommands, readTtl } from "./token-mint.ts";

const defaultUserTtlSeconds = 3600;

interface UserOptions {
  readonly name?: string;
  readonly email?: string;
  readonly ttl: number;
}

export function tokenCommand(): Command {
  const token = new Command("token").description("mint tokens to try things with, and look into tokens");
  token
    .command("user")
    .description("a user's login, signed with JWT_SECRET, or with the secret in DATA_DIR")
    .argument("<user-id>", "the user", readUserId)
    .option("--name <name>", "name to show")
    .option("--email <address>", "e-mail address")
    .option("--ttl <seconds>", "lifetime in seconds, 60 to 86400", readTtl, defaultUserTtlSeconds)
    .action(printUserToken);
  for (const command of [...mintCommands(), inspectCommand()]) token.addCommand(command);
  return token;
}

async function printUserToken(userId: string, { name, email, ttl }: UserOptions): Promise<void> {
  const config = readConfig();
  const secret = config.jwt.secret ?? (await readOrMakeLocalSecrets(config.dataDir)).jwtSecret;
  const issued = issueUserToken(
    {
      userId,
      ttlSeconds: ttl,
      ...(name !== undefined && { displayName: name }),
      ...(email !== undefined && { email }),
    },
    { ...config.jwt, secret },
    Date.now(),
  );
  process.stdout.write(`${issued.token}\n`);
}

function readUserId(value: string): string {
  if (!isName(value))
    throw new InvalidArgumentError("expected 1 to 256 characters, none of them a control character.");
  return value;
}
