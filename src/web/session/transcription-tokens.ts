/**
 * Tokens with which the page records and watches in a room: made by the server for a signed-in user, each time anew, or the
 * one that was pasted. A refresh token is used only when the user's own sign-in is over, and each only once, since one that
 * comes twice would end the live streams of all its kin.
 */
import type { Client } from "@connectrpc/connect";
import { UserType } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import {
  Target,
  type CreateSessionTokensResponse,
  type TokenService,
} from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type { SignIn } from "./sign-in.ts";
import { SignInError, signInErrorOf } from "./sign-in-error.ts";

export interface EnteredRoom {
  readonly roomName: string;
  readonly participantIdentity: string;
  /** False for one who only watches. */
  readonly maySpeak: boolean;
  /** A token for this room: another one each time, good for as long as the server makes them. Rejects as `enter` does. */
  readonly token: () => Promise<string>;
}

export interface TranscriptionTokens {
  /**
   * Enters a room; without a name a new one, which is the user's own, or the one that the pasted token is for. Rejects with
   * SignInError, or with the server's ConnectError: PERMISSION_DENIED when the user may not enter.
   */
  enter(roomName?: string): Promise<EnteredRoom>;
}

type TokenClient = Pick<Client<typeof TokenService>, "createSessionTokens" | "refreshToken">;

/** A token that entering gave is handed out so long after, in milliseconds; then it is not fresh any more. */
const freshMs = 60_000;

export function createTranscriptionTokens(options: {
  readonly tokens: TokenClient;
  readonly signIn: Pick<SignIn, "user" | "accessToken">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}): TranscriptionTokens {
  const { tokens, signIn, now } = options;

  const enterAsUser = async (asked: string | undefined): Promise<EnteredRoom> => {
    let first: CreateSessionTokensResponse | undefined = await mint(tokens, asked);
    const madeAtMs = now();
    const { roomName, participantIdentity, userType } = first;
    let refreshToken: string | undefined = first.refreshToken;
    const renew = async () => {
      try {
        return await mint(tokens, roomName);
      } catch (error) {
        const spent = refreshToken;
        if (spent === undefined || signInErrorOf(error)?.code !== "expired") throw error;
        refreshToken = undefined;
        const renewed = (await tokens.refreshToken({ refreshToken: spent })).tokens;
        if (!renewed) throw error;
        return renewed;
      }
    };
    return {
      roomName,
      participantIdentity,
      maySpeak: userType !== UserType.VIEWER,
      async token() {
        const made = first && now() - madeAtMs < freshMs ? first : await renew();
        first = undefined;
        refreshToken = made.refreshToken;
        return made.transcriptionToken;
      },
    };
  };

  return {
    async enter(roomName) {
      const user = signIn.user.value;
      if (!user) throw new SignInError("signed-out", "Sign in first.");
      if (user.kind === "user") return enterAsUser(roomName);
      if (roomName !== undefined && roomName !== user.roomName)
        throw new SignInError("room", `Your token opens the room “${user.roomName}” only.`);
      const { participantIdentity, maySpeak } = user;
      return { roomName: user.roomName, participantIdentity, maySpeak, token: () => signIn.accessToken() };
    },
  };
}

function mint(tokens: TokenClient, roomName: string | undefined): Promise<CreateSessionTokensResponse> {
  return tokens.createSessionTokens({
    targets: [Target.TRANSCRIPTION],
    ...(roomName === undefined ? { interviewType: "practice" } : { roomName }),
  });
}
