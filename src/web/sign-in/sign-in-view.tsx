/** What somebody sees who is not signed in: what this is, and the way in. */
import { Alert } from "../ui/alert.tsx";
import { Card } from "../ui/card.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Preview } from "./preview.tsx";
import { SignInPanel } from "./sign-in-panel.tsx";

/** `problem`: why a sign-in that was begun did not end well. */
export function SignInView({ problem }: { readonly problem: string | undefined }) {
  return (
    <div class="welcome">
      <div class="welcome-words">
        <PageHeader
          title="Hear how you sound"
          lead="Speak, and read along. Parley writes down what you say as you say it, and shows your pace, your pauses and the words you lean on; then it tells you three things to practise."
        />
      </div>
      <Card title="Sign in">
        {problem !== undefined && (
          <div class="after-this">
            <Alert kind="danger">{problem}</Alert>
          </div>
        )}
        <SignInPanel />
      </Card>
      <Preview />
    </div>
  );
}
