/**
 * Reads the room configuration that a caller wants in a LiveKit token, by the rules of LiveKit's own RoomConfiguration. What a
 * server does not know it ignores, or refuses the whole token for it (1.9), so a typing error must be found here.
 */
import { ForbiddenError, TokenRequestError } from "../../token-error.ts";

/** Protobuf JSON. */
export type ClaimedRoomConfig = Readonly<Record<string, unknown>>;

/** As protobuf JSON. Throws TokenRequestError `invalid` that names the field. */
export async function readRoomConfig(given: ClaimedRoomConfig): Promise<ClaimedRoomConfig> {
  // LiveKit's definitions take most of a second to load, and few tokens need them.
  const { RoomConfiguration } = await import("livekit-server-sdk");
  const read = (config: ClaimedRoomConfig) =>
    RoomConfiguration.fromJsonString(JSON.stringify(config)).toJson() as ClaimedRoomConfig;
  for (const [name, value] of Object.entries(given)) {
    try {
      read({ [name]: value });
    } catch {
      // The library's own message repeats the value.
      throw new TokenRequestError(
        "invalid",
        `${fieldOf(name)}: expected a field of LiveKit's RoomConfiguration, with a value of its type`,
      );
    }
  }
  const config = readWhole(given, read);
  if (hasCredentials(config["egress"])) {
    throw new TokenRequestError(
      "invalid",
      "room_config.egress: expected no credentials; whoever holds the token could read them",
    );
  }
  return config;
}

/** What costs, or reaches beyond what the owner of a room may set, is a service's to ask for. Throws ForbiddenError. */
export function checkRoomConfigOfUser(config: ClaimedRoomConfig): void {
  for (const name of Object.keys(config)) {
    if (!settingsOfRoom.has(name))
      throw new ForbiddenError(`${fieldOf(name)}: only a service may ask for it`);
  }
}

/** Not `egress`, which records, nor `agents`, which starts programs, nor `name`, which is the room's. */
const settingsOfRoom: ReadonlySet<string> = new Set([
  "emptyTimeout",
  "departureTimeout",
  "maxParticipants",
  "metadata",
  "minPlayoutDelay",
  "maxPlayoutDelay",
  "syncStreams",
  "tags",
]);

/** Each field is good; two of them may still be the same one, in its two spellings. */
function readWhole(
  given: ClaimedRoomConfig,
  read: (config: ClaimedRoomConfig) => ClaimedRoomConfig,
): ClaimedRoomConfig {
  const names = Object.keys(given).map((name) =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) throw new TokenRequestError("invalid", `${fieldOf(double)}: expected once`);
  return read(given);
}

/** Names are the caller's own words. */
function fieldOf(name: string): string {
  return /^[A-Za-z_]{1,64}$/.test(name) ? `room_config.${name}` : "room_config";
}

/** As livekit-server looks for them in a token (protocol/auth, CheckCredentials), where it only warns. */
function hasCredentials(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, member]) => secretMembers.has(name) || hasCredentials(member));
}

/** Of S3, GCP, Azure and AliOSS outputs, and stream outputs, whose URLs hold the stream's key. Empty ones are not written. */
const secretMembers: ReadonlySet<string> = new Set(["secret", "credentials", "accountKey", "streamOutputs"]);
