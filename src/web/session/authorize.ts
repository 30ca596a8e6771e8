/** Puts a bearer token on each call, and on a call that can be repeated another one when the server did not take the first. */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

export interface TokenGiver {
  /** Rejects when there is none to be had. */
  accessToken(): Promise<string>;
  /** Told of a token that the server did not take; resolves to whether there is another one. */
  refuse(accessToken: string): Promise<boolean>;
}

export function authorize(giver: TokenGiver): Interceptor {
  return (next) => async (request) => {
    const token = await giver.accessToken();
    request.header.set("authorization", `Bearer ${token}`);
    try {
      return await next(request);
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
      const hasAnother = await giver.refuse(token);
      if (!hasAnother || request.stream) throw error;
      request.header.set("authorization", `Bearer ${await giver.accessToken()}`);
      return next(request);
    }
  };
}
