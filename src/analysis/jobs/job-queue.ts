/** A durable queue of interviews to analyse. */

export interface JobQueue {
  /** Resolves once the job is stored; it survives this process. */
  add(interviewId: string): Promise<void>;
  /** Begins to work. A job is run again, later and later, while `run` rejects, and given up after some tries. */
  start(worker: JobWorker): Promise<void>;
  /** There may be something to do now. */
  wake(): void;
  /** Waits for the job under way. */
  stop(): Promise<void>;
}

export interface JobWorker {
  readonly run: (interviewId: string) => Promise<void>;
  /** `cause` is for the owner's eyes. */
  readonly giveUp: (interviewId: string, cause: string) => Promise<void>;
}
