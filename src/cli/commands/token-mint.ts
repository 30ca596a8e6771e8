/** `parley token transcription|livekit|jitsi|sfu`: tokens for the servers of a session, from a running Parley server. */
import { Command, InvalidArgumentError, Option } from "commander";
import { UserType } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import { Target } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { liveKitSources } from "../../token/rooms/user-types.ts";
import { administrativeGrants, participantGrants } from "../../token/targets/livekit/grants.ts";
import { CliError } from "../cli-error.ts";
import { callServer, withServerOptions } from "../connect.ts";
import type { ServerOptions } from "../connect.ts";

const scope = "scope tokens";

export function mintCommands(): readonly Command[] {
  return [transcriptionCommand(), liveKitCommand(), jitsiCommand(), sfuCommand()];
}

interface ParticipantOptions extends ServerOptions {
  readonly room?: string;
  readonly identity: string;
}

function transcriptionCommand(): Command {
  const command = new Command("transcription")
    .description("a token for Transcribe")
    .requiredOption("--identity <name>", "the participant")
    .option("--room <name>", "the room (default: a new one)");
  return withServerOptions(command, scope).action((options: ParticipantOptions) =>
    printSessionToken(options, Target.TRANSCRIPTION),
  );
}

interface LiveKitOptions extends ParticipantOptions {
  readonly name?: string;
  readonly grant?: readonly Grant[];
  readonly deny?: readonly Grant[];
  readonly sources?: readonly string[];
  readonly attribute?: Readonly<Record<string, string>>;
  readonly metadata?: string;
  readonly ttl?: number;
}

const grants = [...participantGrants, ...administrativeGrants] as const;
type Grant = (typeof grants)[number];

function liveKitCommand(): Command {
  const command = new Command("livekit")
    .description("a token for the configured LiveKit server; to join, publish, subscribe and send data")
    .requiredOption("--identity <name>", "the participant")
    .option("--room <name>", "the room (default: a new one)")
    .option("--name <name>", "name to show")
    .option("--grant <list>", `what it grants besides: of ${grants.join(",")}`, readGrants)
    .option("--deny <list>", "what it shall not grant, of the same", readGrants)
    .option("--sources <list>", `what may be published: of ${liveKitSources.join(",")}`, readSources)
    .option("--attribute <name=value>", "an attribute of the participant; may be repeated", addAttribute)
    .option("--metadata <text>", "metadata of the participant")
    .option("--ttl <seconds>", "lifetime in seconds, 60 to 86400 (default: 3600)", readTtl);
  return withServerOptions(command, scope).action(printLiveKitToken);
}

async function printLiveKitToken(options: LiveKitOptions): Promise<void> {
  const {
    room,
    identity,
    name,
    grant = [],
    deny = [],
    sources = [],
    attribute = {},
    metadata,
    ttl,
  } = options;
  const twice = grant.find((one) => deny.includes(one));
  if (twice !== undefined) throw new CliError(`--grant and --deny: ${twice} can be in one of them only`, 2);
  if (room === undefined) {
    const given = [...grant, ...deny, ...sources, ...Object.keys(attribute), metadata, ttl];
    if (given.some((value) => value !== undefined))
      throw new CliError(
        "--room: needed with --grant, --deny, --sources, --attribute, --metadata and --ttl",
        2,
      );
    return printSessionToken(options, Target.LIVEKIT);
  }
  const answer = await callServer(options, ({ tokens }) =>
    tokens.createLiveKitToken({
      roomName: room,
      participantIdentity: identity,
      ...(name !== undefined && { participantName: name }),
      permissions: {
        ...Object.fromEntries(grant.map((one) => [one, true])),
        ...Object.fromEntries(deny.map((one) => [one, false])),
        canPublishSources: [...sources],
      },
      attributes: attribute,
      ...(metadata !== undefined && { metadata }),
      ...(ttl !== undefined && { ttlSeconds: ttl }),
    }),
  );
  process.stdout.write(`${answer.token}\n`);
}

interface JitsiOptions extends ServerOptions {
  readonly room: string;
  readonly user?: string;
  readonly name?: string;
  readonly email?: string;
  readonly avatar?: string;
  readonly group?: string;
  readonly moderator?: true;
  readonly feature?: Readonly<Record<string, boolean>>;
  readonly meeting?: true;
  readonly ttl?: number;
}

function jitsiCommand(): Command {
  const command = new Command("jitsi")
    .description("a token for the configured Jitsi, or the meeting URL with it")
    .requiredOption("--room <name>", "the meeting room")
    .option("--user <id>", "id of the user")
    .option("--name <name>", "name to show")
    .option("--email <address>", "e-mail address")
    .option("--avatar <url>", "URL of a picture")
    .option("--group <name>", "group that the user belongs to")
    .option("--moderator", "the user moderates")
    .option("--feature <name[=false]>", "a meeting feature, such as recording; may be repeated", addFeature)
    .option("--meeting", "print the meeting URL, which holds the token, in place of the token")
    .option("--ttl <seconds>", "lifetime in seconds, 60 to 86400 (default: 7200)", readTtl);
  return withServerOptions(command, scope).action(async (options: JitsiOptions) => {
    const { ttl } = options;
    const answer = await callServer(options, ({ tokens }) =>
      tokens.createJitsiToken({
        roomName: options.room,
        userId: options.user ?? "",
        userName: options.name ?? "",
        userEmail: options.email ?? "",
        avatarUrl: options.avatar ?? "",
        group: options.group ?? "",
        moderator: options.moderator ?? false,
        features: options.feature ?? {},
        ...(ttl !== undefined && { ttlSeconds: ttl }),
      }),
    );
    process.stdout.write(`${options.meeting ? answer.url : answer.token}\n`);
  });
}

interface SfuOptions extends ServerOptions {
  readonly room: string;
  readonly user: string;
  readonly email?: string;
  readonly userType?: keyof typeof userTypes;
  readonly ttl?: number;
}

const userTypes = {
  host: UserType.HOST,
  presenter: UserType.PRESENTER,
  guest: UserType.GUEST,
  viewer: UserType.VIEWER,
} as const;

function sfuCommand(): Command {
  const command = new Command("sfu")
    .description("a token for the configured SFU")
    .requiredOption("--room <name>", "the room")
    .requiredOption("--user <id>", "id of the user")
    .option("--email <address>", "e-mail address")
    .addOption(
      new Option("--user-type <type>", "what the participant may do (default: host)").choices(
        Object.keys(userTypes),
      ),
    )
    .option("--ttl <seconds>", "lifetime in seconds, 60 to 86400 (default: 3600)", readTtl);
  return withServerOptions(command, scope).action(async (options: SfuOptions) => {
    const { userType, ttl } = options;
    const answer = await callServer(options, ({ tokens }) =>
      tokens.createSfuToken({
        roomName: options.room,
        userId: options.user,
        email: options.email ?? "",
        ...(userType !== undefined && { userType: userTypes[userType] }),
        ...(ttl !== undefined && { ttlSeconds: ttl }),
      }),
    );
    process.stdout.write(`${answer.token}\n`);
  });
}

async function printSessionToken(
  options: ParticipantOptions & { readonly name?: string },
  target: Target,
): Promise<void> {
  const answer = await callServer(options, ({ tokens }) =>
    tokens.createSessionTokens({
      participantIdentity: options.identity,
      targets: [target],
      ...(options.room !== undefined && { roomName: options.room }),
      ...(options.name !== undefined && { participantName: options.name }),
    }),
  );
  process.stdout.write(`${target === Target.LIVEKIT ? answer.livekitToken : answer.transcriptionToken}\n`);
}

export function readTtl(value: string): number {
  const seconds = Number(value);
  if (!/^\d+$/.test(value) || seconds < 60 || seconds > 86_400) {
    throw new InvalidArgumentError("expected whole seconds, 60 to 86400.");
  }
  return seconds;
}

const readGrants = (value: string, before: readonly Grant[] = []) => [...before, ...readList(value, grants)];
const readSources = (value: string, before: readonly string[] = []) => [
  ...before,
  ...readList(value, liveKitSources),
];

function readList<T extends string>(value: string, known: readonly T[]): readonly T[] {
  const items = value.split(",").map((item) => item.trim());
  const isKnown = (item: string): item is T => (known as readonly string[]).includes(item);
  if (!items.every(isKnown))
    throw new InvalidArgumentError(`expected some of ${known.join(", ")}, separated by commas.`);
  return items;
}

function addAttribute(value: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = value.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected name=value.");
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}

function addFeature(value: string, before: Readonly<Record<string, boolean>> = {}): Record<string, boolean> {
  const [, name, wanted = "true"] = /^([^=]+?)(?:=(true|false))?$/.exec(value) ?? [];
  if (name === undefined) throw new InvalidArgumentError("expected a name, or name=false.");
  return { ...before, [name]: wanted === "true" };
}
