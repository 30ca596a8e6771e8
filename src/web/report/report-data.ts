/**
 * What a report shows, as it comes: the session with its summary, and the analysis from queued to done. Follows both until
 * they change no more. Draws nothing.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { Interview } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { SessionState } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Session, SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { clients } from "../session/studio-session.ts";

export type SessionView =
  | { readonly name: "loading" }
  | { readonly name: "there"; readonly session: Session | undefined; readonly summary: SessionSummary }
  | { readonly name: "failed"; readonly error: unknown };

export type AnalysisView =
  | { readonly name: "loading" }
  /** None was asked for. */
  | { readonly name: "none" }
  /** Only the owner of the session may see it. */
  | { readonly name: "not-yours" }
  | { readonly name: "there"; readonly interview: Interview }
  | { readonly name: "failed"; readonly error: unknown };

export interface ReportDataOptions {
  readonly sessionId: string;
  readonly clients: {
    readonly transcription: Pick<(typeof clients)["transcription"], "getSession">;
    readonly analysis: Pick<(typeof clients)["analysis"], "listInterviews" | "watchInterview">;
  };
  /** The summary of a session that has just ended in this page: for those who may not ask for sessions. */
  readonly summary: SessionSummary | undefined;
}

const runningEveryMs = 5_000;

export class ReportData {
  readonly #options: ReportDataOptions;
  readonly #session = signal<SessionView>({ name: "loading" });
  readonly #analysis = signal<AnalysisView>({ name: "loading" });
  readonly #closing = new AbortController();
  #again: ReturnType<typeof setTimeout> | undefined;

  readonly session: ReadonlySignal<SessionView> = this.#session;
  readonly analysis: ReadonlySignal<AnalysisView> = this.#analysis;

  constructor(options: ReportDataOptions) {
    this.#options = options;
    this.reload();
  }

  /** Asks again, as after a failure. */
  reload(): void {
    void this.#loadSession();
    void this.#loadAnalysis();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#again);
  }

  async #loadSession(): Promise<void> {
    const { sessionId, clients, summary: known } = this.#options;
    const { signal } = this.#closing;
    try {
      const { session, summary } = await clients.transcription.getSession({ sessionId }, { signal });
      if (!session || !summary) throw new ConnectError("the server sent no session", Code.Internal);
      this.#session.value = { name: "there", session, summary };
      if (session.state !== SessionState.ENDED) this.#reloadSoon();
    } catch (error) {
      if (signal.aborted) return;
      const mayNot = ConnectError.from(error).code === Code.PermissionDenied;
      if (mayNot && known) this.#session.value = { name: "there", session: undefined, summary: known };
      else if (this.#session.peek().name !== "there") this.#session.value = { name: "failed", error };
      else this.#reloadSoon(); // a network that is away for a while
    }
  }

  #reloadSoon(): void {
    clearTimeout(this.#again);
    if (!this.#closing.signal.aborted) this.#again = setTimeout(() => this.reload(), runningEveryMs);
  }

  async #loadAnalysis(): Promise<void> {
    const { sessionId, clients } = this.#options;
    const { signal } = this.#closing;
    try {
      const { interviews } = await clients.analysis.listInterviews({ sessionId, pageSize: 1 }, { signal });
      const [newest] = interviews;
      if (!newest) {
        this.#analysis.value = { name: "none" };
        return;
      }
      const { interviewId } = newest;
      for await (const { interview } of clients.analysis.watchInterview({ interviewId }, { signal }))
        if (interview) this.#analysis.value = { name: "there", interview };
    } catch (error) {
      if (signal.aborted) return;
      const { code } = ConnectError.from(error);
      this.#analysis.value =
        code === Code.PermissionDenied ? { name: "not-yours" } : { name: "failed", error };
    }
  }
}
