/** Which streams a revocation concerns. */
import type { StreamToken } from "./session-options.ts";

/** What all tokens have in common that are revoked. An id, which may be a family's, and a room may be limited to one user's. */
export type TokenSelector =
  | { readonly tokenId: string; readonly userId?: string }
  | { readonly userId: string }
  | { readonly roomName: string; readonly userId?: string };

/** By whose token a stream is open. */
export interface TokenHolder {
  readonly userId: string;
  readonly roomName: string;
  readonly token: Pick<StreamToken, "tokenId" | "familyId">;
}

export function isSelected(holder: TokenHolder, selector: TokenSelector): boolean {
  if ("tokenId" in selector) {
    const { tokenId, userId = holder.userId } = selector;
    const hasId = holder.token.tokenId === tokenId || holder.token.familyId === tokenId;
    return hasId && holder.userId === userId;
  }
  const { userId = holder.userId } = selector;
  if (holder.userId !== userId) return false;
  return !("roomName" in selector) || holder.roomName === selector.roomName;
}
