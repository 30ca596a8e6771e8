/**
 * `parley token`: mints tokens to try things with. User tokens are signed here with the shared secret, as an app's own
 * backend does; all others come from a running server.
 */
import { Command, InvalidArgumentError } from "commander";
import { Target } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { readConfig } from "../../config.ts";
import { readOrMakeLocalSecrets } from "../../token/keys/local-secrets.ts";
import { isName } from "../../token/read-name.ts";
import { issueUserToken } from "../../token/users/user-token.ts";
import { callServer, withServerOptions } from "../connect.ts";
import type { ServerOptions } from "../connect.ts";

interface RoomTokenOptions extends ServerOptions {
  readonly room?: string;
  readonly identity: string;
}

const defaultUserTtlSeconds = 3600;

export function tokenCommand(): Command {
  const token = new Command("token").description("mint tokens to try things with");
  token
    .command("user")
    .description("a user's login, signed with JWT_SECRET, or with the secret in DATA_DIR")
    .argument("<user-id>", "the user", readUserId)
    .option("--name <name>", "name to show")
    .option("--ttl <seconds>", "lifetime in seconds, 60 to 86400", readTtl, defaultUserTtlSeconds)
    .action(async (userId: string, options: { readonly name?: string; readonly ttl: number }) => {
      const config = readConfig();
      const secret = config.jwt.secret ?? (await readOrMakeLocalSecrets(config.dataDir)).jwtSecret;
      const issued = issueUserToken(
        { userId, ttlSeconds: options.ttl, ...(options.name !== undefined && { displayName: options.name }) },
        { ...config.jwt, secret },
        Date.now(),
      );
      process.stdout.write(`${issued.token}\n`);
    });
  roomToken(token.command("transcription"))
    .description("a token for Transcribe")
    .action((options: RoomTokenOptions) => printRoomToken(options, Target.TRANSCRIPTION));
  roomToken(token.command("livekit"))
    .description("a token for the configured LiveKit server")
    .action((options: RoomTokenOptions) => printRoomToken(options, Target.LIVEKIT));
  return token;
}

function roomToken(command: Command): Command {
  const named = command
    .requiredOption("--identity <name>", "the participant")
    .option("--room <name>", "the room (default: a new one)");
  return withServerOptions(named, "scope tokens");
}

async function printRoomToken(options: RoomTokenOptions, target: Target): Promise<void> {
  const answer = await callServer(options, ({ tokens }) =>
    tokens.createSessionTokens({
      participantIdentity: options.identity,
      targets: [target],
      ...(options.room !== undefined && { roomName: options.room }),
    }),
  );
  process.stdout.write(`${target === Target.LIVEKIT ? answer.livekitToken : answer.transcriptionToken}\n`);
}

function readUserId(value: string): string {
  if (!isName(value))
    throw new InvalidArgumentError("expected 1 to 256 characters, none of them a control character.");
  return value;
}

function readTtl(value: string): number {
  const seconds = Number(value);
  if (!/^\d+$/.test(value) || seconds < 60 || seconds > 86_400) {
    throw new InvalidArgumentError("expected whole seconds, 60 to 86400.");
  }
  return seconds;
}
