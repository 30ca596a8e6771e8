/** The transcript as a file, in each kind that the server writes. */
import { useState } from "preact/hooks";
import { TranscriptFormat } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { clients } from "../session/studio-session.ts";
import { announce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { describeError } from "../ui/describe-error.ts";
import { saveFile } from "./save-file.ts";

const formats = [
  { format: TranscriptFormat.VTT, name: "VTT", title: "Captions for web video" },
  { format: TranscriptFormat.SRT, name: "SRT", title: "Captions for video players" },
  { format: TranscriptFormat.TXT, name: "TXT", title: "Plain text" },
  { format: TranscriptFormat.JSON, name: "JSON", title: "Everything, for programs" },
] as const;

export function Exports({ sessionId }: { readonly sessionId: string }) {
  const [busy, setBusy] = useState<TranscriptFormat>();
  const [problem, setProblem] = useState("");
  const save = async (format: TranscriptFormat) => {
    setBusy(format);
    setProblem("");
    try {
      const { content, contentType, fileName } = await clients.transcription.exportTranscript({
        sessionId,
        format,
      });
      saveFile(fileName, content, contentType);
      announce(`${fileName} is saved.`);
    } catch (error) {
      setProblem(describeError(error));
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <div class="exports">
      <div class="actions" role="group" aria-label="Save the transcript">
        {formats.map(({ format, name, title }) => (
          <Button
            key={name}
            size="small"
            icon="download"
            title={title}
            aria-label={`Save as ${name}: ${title}`}
            busy={busy === format}
            onClick={() => void save(format)}
          >
            {name}
          </Button>
        ))}
      </div>
      <p class="field-error" role="alert">
        {problem}
      </p>
    </div>
  );
}
