/**
 * What the rules look at. Plain data from storage; never a session id, a user or a clock.
 */
import type { DeliveryFigures, SpokenWord } from "../../delivery/measure-delivery.ts";

export interface RulesInput {
  /** The session's words, in order of time; evidence points into this list. Empty for an answer in text only. */
  readonly words: readonly SpokenWord[];
  /** The session's figures. Absent for an answer in text only: then delivery is not scored. */
  readonly figures?: DeliveryFigures;
  /**
   * The answer in text, when one was sent: then content is scored on it. Absent or blank: content is scored on `words`.
   * A text with the same words as the session (its transcript) is scored as the session is, evidence included.
   */
  readonly text?: string;
  /** The question that was answered. Absent or blank: the answer's fit to it is not scored. */
  readonly question?: string;
  /** How hard the question is. A harder one earns more time to think. Absent: as "medium". */
  readonly difficulty?: "easy" | "medium" | "hard";
}
