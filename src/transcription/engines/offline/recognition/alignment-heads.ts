/**
 * The decoder heads whose cross-attention follows the audio word by word, found by measuring every head alone and in
 * groups on several voices (`node test/bench/engine-offline.ts` shows what they are worth).
 */
import type { attentionLayers } from "../model/derive-decoder.ts";

export interface AlignmentHead {
  readonly layer: (typeof attentionLayers)[number];
  readonly head: number;
}

export const alignmentHeads: readonly AlignmentHead[] = [
  { layer: 5, head: 6 },
  { layer: 5, head: 4 },
  { layer: 3, head: 6 },
];
