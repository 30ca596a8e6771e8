/**
 * The meeting features that Jitsi Meet knows by name in `context.features` (jitsi-meet, `MEET_FEATURES` of its client). Where a
 * token has features at all, its Prosody plug-ins and its client take those that are not listed as false, but for
 * `screen-sharing`, which a client hides only where it is listed as false. Where it has none, moderators have all of them.
 */

export const jitsiFeatures = [
  "branding",
  "calendar",
  "create-polls",
  "file-upload",
  "flip",
  "inbound-call",
  "list-visitors",
  "live-translation",
  "livestreaming",
  "lobby",
  "moderation",
  "outbound-call",
  "recording",
  "room",
  "screen-sharing",
  "send-groupchat",
  "send-private-message",
  "sip-inbound-call",
  "sip-outbound-call",
  "transcription",
] as const;

export type JitsiFeature = (typeof jitsiFeatures)[number];

export function isJitsiFeature(name: string): name is JitsiFeature {
  return (jitsiFeatures as readonly string[]).includes(name);
}
