/** Asks Deepgram, for the doctor, whether it is there and takes the key. Sends no audio, and costs nothing. */
import { restBaseUrl, serverName } from "./endpoint.ts";

export interface AccountCheck {
  /** `warning`: it answers, and whether the key is good is not known. */
  readonly state: "ok" | "warning" | "wrong";
  /** For an operator; never holds the key. */
  readonly detail: string;
}

export interface CheckAccountOptions {
  readonly apiKey: string;
  /** As DEEPGRAM_URL. Default: Deepgram's cloud. */
  readonly url?: string;
  readonly timeoutMs: number;
}

/** Never rejects. */
export async function checkAccount({ apiKey, url, timeoutMs }: CheckAccountOptions): Promise<AccountCheck> {
  const server = serverName(url);
  let status: number;
  try {
    // A redirection is not followed, since it would take the key along.
    const answer = await fetch(`${restBaseUrl(url)}/v1/auth/token`, {
      headers: { authorization: `Token ${apiKey}` },
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    ({ status } = answer);
  } catch {
    return { state: "wrong", detail: `${server} does not answer; check DEEPGRAM_URL and the network` };
  }
  if (status === 200) return { state: "ok", detail: `${server} takes the key` };
  if (status === 401 || status === 403) {
    return { state: "wrong", detail: `${server} refuses the key (HTTP ${status}); check DEEPGRAM_API_KEY` };
  }
  // A server of one's own need not have this request.
  return { state: "warning", detail: `${server} answers, but not whether the key is good (HTTP ${status})` };
}
