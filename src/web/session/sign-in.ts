/**
 * Who is signed in, kept for this tab until it is closed, so that a reload loses nothing. Owns the credential and its renewal;
 * how one comes by a credential is sign-in/'s.
 */
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { readTokenOwner, TokenTextError, type TokenOwner } from "./read-claims.ts";
import { SignInError } from "./sign-in-error.ts";

export interface Credential {
  /** How it was come by. */
  readonly via: "token" | "development" | "oidc";
  readonly accessToken: string;
  /** With what the next one is to be had. Absent: with nothing. */
  readonly renewal?: Renewal;
}

/** What an OpenID provider gave for later. */
export interface Renewal {
  readonly refreshToken: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  readonly clientId: string;
  /** Whom the access token is for. */
  readonly resource?: string;
}

export type CurrentUser = TokenOwner & Pick<Credential, "via">;

export interface SignInOptions {
  /** The tab's own. */
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** The next credential. Rejects with SignInError; `retryable` when the provider may answer later. */
  readonly renew: (renewal: Renewal) => Promise<Credential>;
  /** Tells the provider that its refresh token is not needed any more. Never rejects. */
  readonly revoke: (renewal: Renewal) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const storageKey = "parley.sign-in";
/** A token is renewed so long before it expires, in milliseconds: longer than a call takes. */
const renewBeforeMs = 30_000;

export class SignIn {
  readonly #options: SignInOptions;
  readonly #credential = signal<Credential | undefined>(undefined);
  readonly #hasExpired = signal(false);
  #renewing: Promise<Credential> | undefined;

  readonly user: ReadonlySignal<CurrentUser | undefined>;
  /** True when the server does not take the credential any more: the page stays as it is, and asks to sign in again. */
  readonly hasExpired: ReadonlySignal<boolean> = this.#hasExpired;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#credential.value = readStored(options.storage);
    this.user = computed(() => {
      const credential = this.#credential.value;
      return credential && { ...readTokenOwner(credential.accessToken), via: credential.via };
    });
  }

  /** Throws TokenTextError for what is no token. */
  accept(credential: Credential): void {
    readTokenOwner(credential.accessToken);
    this.#options.storage.setItem(storageKey, JSON.stringify(credential));
    this.#credential.value = credential;
    this.#hasExpired.value = false;
  }

  signOut(): void {
    const renewal = this.#credential.value?.renewal;
    if (renewal) void this.#options.revoke(renewal);
    this.#options.storage.removeItem(storageKey);
    this.#credential.value = undefined;
    this.#hasExpired.value = false;
  }

  /** A token that is good for a while, renewed where that can be done. Rejects with SignInError. */
  async accessToken(): Promise<string> {
    const credential = this.#credential.value;
    if (!credential) throw new SignInError("signed-out", "Sign in first.");
    const leftMs = (this.user.value?.expireTime?.getTime() ?? Infinity) - this.#options.now();
    if (leftMs > renewBeforeMs) return credential.accessToken;
    if (credential.renewal) {
      try {
        return (await this.#renew(credential.renewal)).accessToken;
      } catch (error) {
        if (leftMs <= 0 || !(error instanceof SignInError) || !error.retryable) throw error;
      }
    }
    if (leftMs > 0) return credential.accessToken;
    throw this.#expire();
  }

  /**
   * To be told when the server did not take `accessToken`. Resolves to whether there is another one now; if not, the user has
   * to sign in again.
   */
  async refuse(accessToken: string): Promise<boolean> {
    const credential = this.#credential.value;
    if (!credential) return false;
    if (credential.accessToken !== accessToken) return true; // renewed in the meantime
    try {
      if (credential.renewal) {
        await this.#renew(credential.renewal);
        return true;
      }
    } catch {
      return false; // #renew has said so, or the provider may answer at the next call
    }
    this.#expire();
    return false;
  }

  #renew(renewal: Renewal): Promise<Credential> {
    return (this.#renewing ??= this.#options
      .renew(renewal)
      .then(
        (credential) => {
          if (this.#credential.value?.renewal === renewal) this.accept(credential);
          // Meanwhile signed out: what came too late is not left to lie about.
          else if (credential.renewal) void this.#options.revoke(credential.renewal);
          return credential;
        },
        (error: unknown) => {
          if (this.#credential.value?.renewal !== renewal)
            throw new SignInError("signed-out", "Sign in first.", { cause: error });
          throw error instanceof SignInError && error.retryable ? error : this.#expire(error);
        },
      )
      .finally(() => (this.#renewing = undefined)));
  }

  #expire(cause?: unknown): SignInError {
    this.#hasExpired.value = true;
    return new SignInError("expired", "Your sign-in has expired. Sign in again to go on.", { cause });
  }
}

/** What the tab kept; what cannot be read is as good as nothing, and is written over at the next sign-in. */
function readStored(storage: SignInOptions["storage"]): Credential | undefined {
  const text = storage.getItem(storageKey);
  if (text === null) return undefined;
  try {
    const credential = JSON.parse(text) as Credential;
    readTokenOwner(credential.accessToken);
    return credential;
  } catch (error) {
    if (error instanceof TokenTextError || error instanceof SyntaxError || error instanceof TypeError)
      return undefined;
    throw error;
  }
}
