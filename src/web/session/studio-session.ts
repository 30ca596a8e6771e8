/**
 * The page's one connection to its server: who is signed in, clients that call as them, and tokens for rooms. Everything that
 * a view needs of the server comes from here.
 */
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { createWebSocketTransport } from "../../client/index.ts";
import type { ReadonlySignal } from "@preact/signals";
import { AnalysisService } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { authorize } from "./authorize.ts";
import { SignIn, type CurrentUser } from "./sign-in.ts";
import { createTranscriptionTokens, type EnteredRoom } from "./transcription-tokens.ts";

export const signIn = new SignIn({
  storage: sessionStorage,
  renew: async (renewal) => (await import("./oidc/renew.ts")).renewCredential(renewal),
  revoke: async (renewal) => (await import("./oidc/revoke.ts")).revokeRefreshToken(renewal),
  now: () => Date.now(),
});

/** Undefined: nobody is signed in, and the page shows how to. */
export const currentUser: ReadonlySignal<CurrentUser | undefined> = signIn.user;

/** Streams both ways; puts no credential on a call by itself. */
export const streamTransport: Transport = createWebSocketTransport({ baseUrl: location.origin });

/** Calls as the signed-in user; unary calls and server streams. */
export const clients = clientsOver(transportWith([authorize(signIn)]));

const rooms = createTranscriptionTokens({
  signIn,
  now: () => Date.now(),
  tokens: {
    createSessionTokens: (request, options) => clients.tokens.createSessionTokens(request, options),
    // Carries its own credential, and is to work when the user's has expired.
    refreshToken: (request, options) =>
      createClient(TokenService, transportWith([])).refreshToken(request, options),
  },
});

/**
 * Enters a room, by default a new one of the user's own or the one that the pasted token is for. Rejects with SignInError or
 * ConnectError, whose messages can be shown.
 */
export const enterRoom = (roomName?: string): Promise<EnteredRoom> => rooms.enter(roomName);

/**
 * Watches as the signed-in user or participant, over WebSockets, of which a page may have more at once than connections for
 * fetches.
 */
export const watchClient = createClient(
  TranscriptionService,
  createWebSocketTransport({ baseUrl: location.origin, interceptors: [authorize(signIn)] }),
);

function transportWith(interceptors: Interceptor[]): Transport {
  return createConnectTransport({ baseUrl: location.origin, useBinaryFormat: true, interceptors });
}

function clientsOver(transport: Transport) {
  return {
    tokens: createClient(TokenService, transport),
    transcription: createClient(TranscriptionService, transport),
    analysis: createClient(AnalysisService, transport),
  };
}
