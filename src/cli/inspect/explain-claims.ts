/** What the header and the claims of a token say, in words: one line each, with times as a reader has them. */
import { endOfTime } from "../../token/jwt/verify-jwt.ts";
import type { Claims } from "../../token/jwt/verify-jwt.ts";
import { inWords } from "../../token/targets/time-refusals.ts";
import { printable } from "../screen/printable.ts";

export interface ExplainedClaim {
  /** `video.roomJoin` for what is within another claim. */
  readonly name: string;
  /** As JSON, or a text as it is; on one line, cut when it is long. */
  readonly value: string;
  /** Empty when there is nothing to say. */
  readonly meaning: string;
}

export function explainHeader(header: Claims): readonly ExplainedClaim[] {
  return explain(header, headerMeanings, 0);
}

export function explainClaims(claims: Claims, nowMs: number): readonly ExplainedClaim[] {
  return explain(claims, claimMeanings, nowMs);
}

type Meanings = Readonly<Record<string, string>>;

const headerMeanings: Meanings = {
  alg: "how it is signed",
  typ: "what kind of token it says it is",
  kid: "by which key it is signed",
  jwk: "a key of its own, which nobody may trust",
  jku: "where it says that its key is, which nobody may trust",
  x5u: "where it says that its key is, which nobody may trust",
  x5c: "a certificate of its own, which nobody may trust",
  crit: "what a reader must understand",
};

const claimMeanings: Meanings = {
  iss: "who made it",
  sub: "whom or what it is about",
  aud: "for whom it is",
  exp: "good until",
  nbf: "good from",
  iat: "made",
  jti: "its id, by which it can be revoked",
  azp: "for which app it was made",
  sid: "the login that it came of",
  userId: "the user who owns the session",
  roomName: "the room that it opens",
  participantIdentity: "the participant",
  userType: "what the participant may do",
  fam: "what all tokens of one refresh token have in common, by which they can be revoked",
  gen: "its place in that family",
  key: "the API key that asked for it",
  targets: "the servers that it renews tokens for",
  identity: "the participant",
  name: "name to show",
  email: "e-mail address",
  metadata: "the participant's metadata",
  attributes: "the participant's attributes",
  "attributes.parley.user_id": "the user, where the identity is not their id",
  video: "what it grants on LiveKit",
  "video.room": "the room that it opens",
  "video.roomJoin": "to join the room",
  "video.roomCreate": "to make and delete rooms, all of them",
  "video.roomList": "to list rooms, all of them",
  "video.roomRecord": "to record rooms, all of them",
  "video.roomAdmin": "to administer the room",
  "video.canPublish": "to publish tracks",
  "video.canPublishSources": "to publish these only",
  "video.canSubscribe": "to receive the tracks of others",
  "video.canPublishData": "to send data messages",
  "video.canUpdateOwnMetadata": "to change their own metadata and attributes",
  "video.ingressAdmin": "to manage ingresses, all of them",
  "video.hidden": "not to be seen by others",
  "video.recorder": "to count as a recorder",
  "video.agent": "to serve as an agent",
  "video.destinationRoom": "to be forwarded into this room",
  roomConfig: "how the room is made when the first one joins",
  room: "the room that it opens",
  moderator: "whether the bearer moderates, for the plug-in token_moderation",
  context: "what Jitsi's plug-ins and clients read",
  "context.user": "who the bearer is",
  "context.user.id": "the user",
  "context.user.name": "name to show",
  "context.user.email": "e-mail address",
  "context.user.avatar": "URL of a picture",
  "context.user.moderator": "whether the bearer moderates, for the plug-in token_affiliation",
  "context.user.affiliation": "whether the bearer moderates, for the plug-in token_affiliation",
  "context.group": "the group of the bearer",
  "context.features": "what of the meeting the bearer may use; what is not listed is not allowed",
  "context.room.regex": "whether the room's name is a pattern",
  user_id: "the user",
  user_type: "what the participant may do",
};

const times: ReadonlySet<string> = new Set(["exp", "nbf", "iat"]);
const maxDepth = 3;
const maxValueLength = 160;

function explain(claims: Claims, meanings: Meanings, nowMs: number): readonly ExplainedClaim[] {
  const lines: ExplainedClaim[] = [];
  const visit = (path: string, value: unknown, depth: number) => {
    const meaning = Object.hasOwn(meanings, path) ? (meanings[path] ?? "") : "";
    const isTime = times.has(path) && typeof value === "number" && nowMs > 0;
    if (isObject(value) && depth < maxDepth && Object.keys(value).length > 0) {
      if (meaning !== "") lines.push({ name: printable(path), value: "", meaning });
      for (const [name, member] of Object.entries(value)) visit(`${path}.${name}`, member, depth + 1);
      return;
    }
    lines.push({
      name: printable(path),
      value: shown(value),
      meaning: isTime ? `${meaning} ${describeTime(value, nowMs)}` : meaning,
    });
  };
  for (const [name, value] of Object.entries(claims)) visit(name, value, 1);
  return lines;
}

/** `2026-11-26T02:00:00Z, 40 s ago`, or `in 5 min`. */
function describeTime(seconds: number, nowMs: number): string {
  if (!(seconds >= 0 && seconds < endOfTime)) return "no time that there is";
  const time = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  const ahead = seconds - nowMs / 1000;
  return ahead > 0 ? `${time}, in ${inWords(ahead)}` : `${time}, ${inWords(-ahead)} ago`;
}

function shown(value: unknown): string {
  const text = printable(typeof value === "string" ? value : JSON.stringify(value));
  const characters = Array.from(text);
  return characters.length <= maxValueLength ? text : `${characters.slice(0, maxValueLength).join("")}…`;
}

function isObject(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
