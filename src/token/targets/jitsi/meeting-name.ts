/**
 * The name of a room as Jitsi's clients write it in the address of the meeting: normalised (NFKC), in lower case and
 * percent-encoded (jitsi-meet, `getBackendSafeRoomName`). Prosody compares a token with that. Many names become the same
 * meeting, so a name that a client would change in any other way is refused.
 */
import { TokenRequestError } from "../../token-error.ts";

/** What clients cut out of the name that a URL holds, and `%`, which some decode twice. `*` opens every room. */
const unusable = /[:?#[\]@!$&'()*+,;=></"\\^`{|}%]/;

/** Of an XMPP address's local part, in bytes (RFC 7622, section 3.3). */
const maxNameBytes = 1023;

/** Throws TokenRequestError `invalid`. */
export function meetingName(roomName: string): string {
  const name = normalise(roomName);
  if (unusable.test(name) || unusable.test(roomName)) {
    throw new TokenRequestError(
      "invalid",
      "room_name: expected the name of one Jitsi room; `*`, patterns, and characters other than letters, digits, spaces and - _ . ~ do not make one",
    );
  }
  if (/^\.{0,2}$/.test(name.trim())) {
    throw new TokenRequestError("invalid", "room_name: expected more than spaces and dots");
  }
  const encoded = encode(name);
  if (encoded.length > maxNameBytes) {
    throw new TokenRequestError(
      "invalid",
      `room_name: expected at most ${maxNameBytes} characters once it is encoded for a URL`,
    );
  }
  return encoded;
}

/** As a client takes a name, which may be encoded already. For looking at tokens: throws nothing, and lets everything through. */
export function meetingNameOfClient(roomName: string): string {
  return encode(normalise(decode(roomName)));
}

/** As Lua's string.lower does it in Prosody. */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function normalise(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

function encode(name: string): string {
  return asciiLowerCase(encodeURIComponent(name.toWellFormed()));
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
