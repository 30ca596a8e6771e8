/** Which web pages may call: exact origins from the configuration. The one rule for fetches and for WebSockets. */

export interface AllowedOrigins {
  /** Whether every page may. */
  readonly anybody: boolean;
  has(origin: string): boolean;
}

/** "*" among them is everybody. */
export function readAllowedOrigins(origins: readonly string[]): AllowedOrigins {
  const allowed = new Set(origins);
  const anybody = allowed.has("*");
  return { anybody, has: (origin) => anybody || allowed.has(origin) };
}

/** Whether a page that this server itself sent is asking. By host alone: a proxy in front may have ended TLS. */
export function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
