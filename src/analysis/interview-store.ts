/** What interviews need of a database. Implemented in storage/. */
import type { Page, PageRequest } from "../page.ts";
import type { Report } from "./report.ts";

export type Difficulty = "easy" | "medium" | "hard";
export type InterviewState = "queued" | "running" | "done" | "failed";

export interface StoredInterview {
  readonly interviewId: string;
  readonly sessionId?: string;
  readonly userId: string;
  readonly roomName?: string;
  readonly caseQuestion?: string;
  readonly difficulty?: Difficulty;
  readonly candidateAnswer?: string;
  readonly state: InterviewState;
  /** In words for the owner. */
  readonly failureCause?: string;
  readonly report?: Report;
  readonly createTime: Date;
  readonly updateTime: Date;
}

export interface InterviewStore {
  create(interview: StoredInterview): Promise<void>;
  get(interviewId: string): Promise<StoredInterview | undefined>;
  /** Newest first, without reports. */
  list(filter: { userId?: string; sessionId?: string }, page: PageRequest): Promise<Page<StoredInterview>>;
  /** The overall scores of these sessions' newest reports that have one. */
  overallScores(sessionIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Moves on. "done" and "failed" are final: a later change is ignored, and false is returned. */
  update(interviewId: string, change: InterviewChange): Promise<boolean>;
}

export interface InterviewChange {
  readonly state: InterviewState;
  readonly failureCause?: string;
  readonly report?: Report;
  readonly updateTime: Date;
}
