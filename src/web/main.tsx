/** Starts the studio in the page; where a provider sent the user back, ends the sign-in first. */
import { render } from "preact";
import { App } from "./app.tsx";
import { signIn } from "./session/studio-session.ts";
import { checkToken } from "./sign-in/check-token.ts";
import { describeError } from "./ui/describe-error.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/components.css";
import "./sign-in/sign-in.css";

const root = document.getElementById("app");
const signInProblem = location.search === "" ? undefined : await returnFromProvider(location.search);
if (root) render(<App signInProblem={signInProblem} />, root);

/** Undefined: signed in, or there was nothing to do. Otherwise what went wrong, to be shown. */
async function returnFromProvider(search: string): Promise<string | undefined> {
  const { finishSignIn, isReturn } = await import("./session/oidc/finish.ts");
  if (!isReturn(search)) return undefined;
  // The code must not stay in the address, where it could be copied, or be sent again by a reload.
  history.replaceState(null, "", location.pathname);
  try {
    const { credential, returnTo } = await finishSignIn(search, {
      storage: sessionStorage,
      nowMs: Date.now(),
    });
    await checkToken(credential.accessToken);
    signIn.accept(credential);
    location.hash = returnTo;
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}
