/** What browsers are told of the studio: what it may load, run and ask for, and that nobody else may hold it. */

export interface StudioHeaderOptions {
  /** Origins of the OpenID provider that the page talks to. Default: none, and it talks to nobody but this server. */
  readonly providerOrigins?: readonly string[];
}

/** Nothing inline, nothing from elsewhere, no text that becomes markup, no frame around it; of devices the microphone. */
export function studioHeaders({
  providerOrigins = [],
}: StudioHeaderOptions): Readonly<Record<string, string>> {
  const policy = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": ["'self'", ...providerOrigins].join(" "),
    "worker-src": "'self'",
    "media-src": "'self' blob:",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "parley-worker", // names the script of the worker that traces voices
  };
  return {
    "content-security-policy": Object.entries(policy)
      .map(([name, value]) => `${name} ${value}`)
      .join("; "),
    "permissions-policy":
      "microphone=(self), camera=(), display-capture=(), geolocation=(), payment=(), usb=(), serial=(), midi=()",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
}
