/** What went wrong, for the one who has to do with it. Says what to do where something can be done. */
import { Code, ConnectError } from "@connectrpc/connect";
import { TokenTextError } from "../session/read-claims.ts";
import { signInErrorOf } from "../session/sign-in-error.ts";

export function describeError(error: unknown): string {
  const signInError = signInErrorOf(error);
  if (signInError) return signInError.message;
  if (error instanceof TokenTextError) return error.message;
  const { code, rawMessage } = ConnectError.from(error);
  switch (code) {
    case Code.Unauthenticated:
      return "The server does not take your token any more. Sign in again.";
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return "The server cannot be reached. Check the connection, then try again.";
    case Code.ResourceExhausted:
      return `That is more than the server takes at the moment: ${rawMessage}. Try again in a minute.`;
    case Code.Unknown:
    case Code.Internal:
      // A fetch that got no answer at all is Unknown, or Internal, with the browser's own words.
      return navigator.onLine ? "Something went wrong. Try again." : "This computer is offline.";
    default:
      return sentence(rawMessage);
  }
}

/** Messages of the server are written for developers: a field, a colon, and what to do. */
function sentence(message: string): string {
  const words = message.replace(/^[a-z_[\]0-9.]+: /, "");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}
