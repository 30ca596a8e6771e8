/**
 * `parley token`: mints tokens to try things with. User tokens are signed here with the shared secret, as an app's own
 * backend does; all others come from a running server.
 */
import { Command, InvalidArgumentError } from "commander";
import { Target } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { readConfig } from "../../config.ts";
import { readOrMakeLocalSecrets } from "../../token/local-secrets.ts";
import { issueUserToken } from "../../token/user-token.ts";
import { connect, explainFailure, findServer } from "../connect.ts";

interface RoomTokenOptions {
  readonly room?: string;
  readonly identity: string;
  readonly url?: string;
  readonly apiKey?: string;
}

const defaultUserTtlSeconds = 3600;

export function tokenCommand(): Command {
  const token = new Command("token").description("mint tokens to try things with");
  token
    .command("user")
    .description("a user's login, signed with JWT_SECRET")
    .argument("<user-id>", "the user")
    .option("--name <name>", "name to show")
    .option("--ttl <seconds>", "lifetime, 60 to 86400", readTtl, defaultUserTtlSeconds)
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
  return command
    .requiredOption("--identity <name>", "the participant")
    .option("--room <name>", "the room (default: a new one)")
    .option("--url <url>", "the server (default: this machine's)")
    .option("--api-key <key>", "an API key with the scope tokens (default: the development key)");
}

async function printRoomToken(options: RoomTokenOptions, target: Target): Promise<void> {
  const server = await findServer(options);
  try {
    const answer = await connect(server).tokens.createSessionTokens({
      participantIdentity: options.identity,
      targets: [target],
      ...(options.room !== undefined && { roomName: options.room }),
    });
    process.stdout.write(`${target === Target.LIVEKIT ? answer.livekitToken : answer.transcriptionToken}\n`);
  } catch (error) {
    throw explainFailure(error, server.url);
  }
}

function readTtl(value: string): number {
  const seconds = Number(value);
  if (!Number.isInteger(seconds) || seconds < 60 || seconds > 86_400) {
    throw new InvalidArgumentError("expected whole seconds, 60 to 86400.");
  }
  return seconds;
}
