/** `npm run bench -- NAME`: measures, and prints what it measured. */
import { benchBundle } from "./bundle.ts";
import { benchSpeech } from "./speech.ts";
import { benchStreams } from "./streams.ts";
import { benchStudio } from "./studio.ts";
import { benchTokens } from "./tokens.ts";

const benches: Readonly<Record<string, () => Promise<void>>> = {
  bundle: benchBundle,
  speech: benchSpeech,
  streams: benchStreams,
  studio: benchStudio,
  tokens: benchTokens,
};

const name = process.argv[2] ?? "";
const bench = benches[name];
if (!bench) {
  console.error(`npm run bench -- ${Object.keys(benches).join(" | ")}`);
  process.exit(2);
}
await bench();
