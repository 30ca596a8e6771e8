/** What the client costs a web page: gzipped bytes of bundles as apps make them, beside what they would have without it. */
import { bundlers, gzippedBytes, installPackedClient } from "../browser/pack-client.ts";
import { row } from "./row.ts";

const transcription = "@parley/server/gen/parley/transcription/v1/transcription_pb.js";
const use = (...names: string[]) => `window.used = [${names.join(", ")}];`;

/** Source of an app, by what it uses. */
const apps: Readonly<Record<string, string>> = {
  "Connect's own client and TranscriptionService": `
    import { createClient } from "@connectrpc/connect";
    import { createConnectTransport } from "@connectrpc/connect-web";
    import { TranscriptionService } from "${transcription}";
    ${use("createClient", "createConnectTransport", "TranscriptionService")}`,
  "the same over the WebSocket transport": `
    import { createClient } from "@connectrpc/connect";
    import { createWebSocketTransport } from "@parley/server/client";
    import { TranscriptionService } from "${transcription}";
    ${use("createClient", "createWebSocketTransport", "TranscriptionService")}`,
  "and the resumable transcription": `
    import { createTranscription, createWebSocketTransport } from "@parley/server/client";
    ${use("createTranscription", "createWebSocketTransport")}`,
  "and all three services": `
    import { createClient } from "@connectrpc/connect";
    import { createTranscription, createWebSocketTransport } from "@parley/server/client";
    import { TokenService } from "@parley/server/gen/parley/token/v1/token_pb.js";
    import { TranscriptionService } from "${transcription}";
    import { AnalysisService } from "@parley/server/gen/parley/analysis/v1/analysis_pb.js";
    ${use("createClient", "createTranscription", "createWebSocketTransport", "TokenService", "TranscriptionService", "AnalysisService")}`,
};

export async function benchBundle(): Promise<void> {
  const app = await installPackedClient();
  for (const [name, source] of Object.entries(apps)) {
    const sizes: string[] = [];
    for (const bundler of bundlers) {
      const bytes = gzippedBytes(await app.bundle(bundler, source));
      sizes.push(`${bundler} ${(bytes / 1024).toFixed(1)} KiB`);
    }
    row(name, sizes.join(", "));
  }
  await app.close();
}
