/** Asks the server whether it takes a token, so that a bad one is told of where it was pasted, and not at the first call. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { readTokenOwner, TokenTextError } from "../session/read-claims.ts";

/** Rejects with TokenTextError for a token that is none, or is not good here; with ConnectError when the server does not say. */
export async function checkToken(token: string): Promise<void> {
  const { expireTime } = readTokenOwner(token);
  if (expireTime && expireTime.getTime() < Date.now())
    throw new TokenTextError(`That token expired on ${expireTime.toLocaleString()}. Paste a newer one.`);
  const transport = createConnectTransport({ baseUrl: location.origin, useBinaryFormat: true });
  const client = createClient(TokenService, transport);
  try {
    await client.validateToken({ token }, { headers: { authorization: `Bearer ${token}` } });
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
    throw new TokenTextError("This server does not take that token. Is it for this server, and still good?");
  }
}
