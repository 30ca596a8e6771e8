/**
 * Who speaks, as files name them. Knows channels only; never identities.
 */

/** The names of channels, or undefined when there is only one channel and naming it would say nothing. */
export function speakerNames(
  segments: readonly { readonly channel: number }[],
): ((channel: number) => string) | undefined {
  const channels = new Set(segments.map((segment) => segment.channel));
  return channels.size > 1 ? (channel) => `Speaker ${channel + 1}` : undefined;
}
