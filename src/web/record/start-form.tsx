/** Where a recording begins: the microphone, a file or the bundled sample, and what is to be known before. */
import { useRef, useState } from "preact/hooks";
import { readRecording } from "../audio/read-recording.ts";
import { readSample, sampleName } from "../audio/read-sample.ts";
import { currentUser } from "../session/studio-session.ts";
import { Alert } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { startRecording } from "./current-recording.ts";
import { explainFailure } from "./explain-failure.ts";
import type { NewSession } from "./session-recording.ts";

const maxQuestionLength = 4000;
const maxRoomNameLength = 128;

export function StartForm() {
  const [question, setQuestion] = useState("");
  const [roomName, setRoomName] = useState("");
  const [isPaced, setIsPaced] = useState(true);
  const [busy, setBusy] = useState<"microphone" | "file" | "sample">();
  const [problem, setProblem] = useState<string>();
  const picker = useRef<HTMLInputElement>(null);
  const user = currentUser.value;
  const session: NewSession = {
    ...(question.trim() !== "" && { question: question.trim() }),
    ...(roomName.trim() !== "" && { roomName: roomName.trim() }),
  };

  const begin = async (what: NonNullable<typeof busy>, start: () => Promise<void>) => {
    setBusy(what);
    setProblem(undefined);
    try {
      await start();
    } catch (error) {
      setProblem(explainFailure(error).message);
    } finally {
      setBusy(undefined);
    }
  };
  const beginFile = async (read: () => Promise<Int16Array>, title: string) =>
    startRecording({ source: "file", samples: await read(), title, isPaced, ...session });

  return (
    <div class="card start">
      <div class="start-main">
        <Button
          kind="primary"
          size="large"
          icon="microphone"
          class="record-button"
          aria-keyshortcuts="Alt+R"
          busy={busy === "microphone"}
          onClick={() => void begin("microphone", () => startRecording({ source: "microphone", ...session }))}
        >
          Record
        </Button>
        <p class="soft small shortcut">
          or press <kbd>Alt</kbd> <kbd>R</kbd>, here and to stop
        </p>
        <div class="actions">
          <Button icon="file" busy={busy === "file"} onClick={() => picker.current?.click()}>
            Choose a file
          </Button>
          <Button
            icon="play"
            busy={busy === "sample"}
            onClick={() => void begin("sample", () => beginFile(readSample, sampleName))}
          >
            Try the sample
          </Button>
        </div>
        <input
          ref={picker}
          type="file"
          hidden
          accept="audio/*,video/*"
          aria-label="Sound file"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            currentTarget.value = "";
            if (file) void begin("file", () => beginFile(() => readRecording(file), file.name));
          }}
        />
        <label class="check small">
          <input type="checkbox" checked={isPaced} onChange={() => setIsPaced(!isPaced)} />
          Files at the speed of speech
        </label>
      </div>
      <div class="start-more stack tight">
        {problem !== undefined && <Alert kind="danger">{problem}</Alert>}
        <Field
          label="The question you answer"
          hint="Optional. With it the report scores how much of it you take up."
        >
          {(control) => (
            <textarea
              {...control}
              rows={3}
              maxLength={maxQuestionLength}
              value={question}
              onInput={({ currentTarget }) => setQuestion(currentTarget.value)}
            />
          )}
        </Field>
        {user?.kind === "participant" ? (
          <p class="soft small">
            You speak in the room <strong>{user.roomName}</strong>.
          </p>
        ) : (
          <Field
            label="Room"
            hint="Optional. Others whom you let in can read along; without a name you are alone."
          >
            {(control) => (
              <input
                {...control}
                maxLength={maxRoomNameLength}
                autocomplete="off"
                value={roomName}
                onInput={({ currentTarget }) => setRoomName(currentTarget.value)}
              />
            )}
          </Field>
        )}
      </div>
    </div>
  );
}
