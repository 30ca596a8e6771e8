/** What the app of the tests does with the package: the source of its script, and its parts as a test calls them in a page. */

/** Ends up as `window.parley`. */
export const appSource = `
import { createClient, ConnectError } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { createTranscription, createWebSocketTransport } from "@parley/server/client";
import { TranscriptionService } from "@parley/server/gen/parley/transcription/v1/transcription_pb.js";

const transports = {
  connect: (baseUrl) => createConnectTransport({ baseUrl }),
  grpcWeb: (baseUrl) => createGrpcWebTransport({ baseUrl }),
  webSocket: (baseUrl) => createWebSocketTransport({ baseUrl }),
};

window.parley = {
  async list(kind, baseUrl, token, roomName) {
    const client = createClient(TranscriptionService, transports[kind](baseUrl));
    const header = {};
    try {
      const { sessions } = await client.listSessions(
        { roomName },
        { headers: { authorization: "Bearer " + token }, onHeader: (given) => given.forEach((value, name) => (header[name] = value)) },
      );
      return { sessions: sessions.length, header };
    } catch (error) {
      const { code, rawMessage, metadata } = ConnectError.from(error);
      return { code, message: rawMessage, header: Object.fromEntries(metadata) };
    }
  },

  async transcribe(baseUrl, token, audioUrl) {
    const wav = new Uint8Array(await (await fetch(audioUrl)).arrayBuffer());
    const transcription = createTranscription({
      transport: createWebSocketTransport({ baseUrl }),
      token,
      config: { encoding: 1, sampleRateHz: 16000 },
    });
    const seen = [];
    const reading = (async () => {
      for await (const event of transcription) {
        seen.push(event.case);
        if (event.case === "sessionSummary") return event.value.transcript;
      }
    })();
    for (let at = 44; at < wav.length; at += 6400) await transcription.write(wav.subarray(at, at + 6400));
    transcription.end();
    return { transcript: await reading, seen };
  },
};
`;

export interface PageApp {
  list(
    kind: "connect" | "grpcWeb" | "webSocket",
    baseUrl: string,
    token: string,
    roomName: string,
  ): Promise<{
    sessions?: number;
    code?: number;
    message?: string;
    header: Record<string, string>;
  }>;
  transcribe(
    baseUrl: string,
    token: string,
    audioUrl: string,
  ): Promise<{ transcript: string; seen: string[] }>;
}

declare global {
  var parley: PageApp;
}
