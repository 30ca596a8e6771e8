/** The microphone as a stream of 16-bit mono at 16 kHz. Asks the person; never keeps or sends a sample itself. */
import { AudioError } from "./audio-error.ts";
import captureUrl from "./capture.worklet.ts?worker&url";

export interface Microphone {
  /** Resolves when the last samples have been handed on. */
  stop(): Promise<void>;
}

export interface MicrophoneOptions {
  /** 50 ms at a time, the last piece maybe shorter. */
  readonly onSamples: (samples: Int16Array<ArrayBuffer>) => void;
  /** The device went away, or the person took back their permission. */
  readonly onLost: () => void;
}

/**
 * Rejects with an AudioError. Levels are left as they are, since loudness is measured: no gain control. Noise
 * suppression and echo cancellation take soft sounds, such as fillers, for noise, and stay off, too.
 */
export async function openMicrophone({ onSamples, onLost }: MicrophoneOptions): Promise<Microphone> {
  const media = await askForMicrophone();
  const context = new AudioContext({ latencyHint: "balanced" });
  const release = async () => {
    for (const track of media.getTracks()) track.stop();
    await context.close();
  };
  try {
    await context.audioWorklet.addModule(captureUrl);
    await context.resume();
  } catch (error) {
    await release();
    throw new AudioError(
      "not-loaded",
      "A part of the page could not be loaded. Reload it and try again.",
      error,
    );
  }
  const capture = new AudioWorkletNode(context, "parley-capture", {
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  const stopped = Promise.withResolvers<undefined>();
  capture.port.onmessage = ({ data }: MessageEvent<Int16Array<ArrayBuffer> | null>) => {
    if (data === null) stopped.resolve(undefined);
    else onSamples(data);
  };
  context.createMediaStreamSource(media).connect(capture);
  for (const track of media.getAudioTracks()) track.addEventListener("ended", onLost);
  return {
    async stop() {
      capture.port.postMessage("stop");
      await stopped.promise;
      await release();
    },
  };
}

async function askForMicrophone(): Promise<MediaStream> {
  // Absent on pages that are neither https nor localhost, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) {
    throw new AudioError("insecure-page", "Browsers give a microphone to https pages and to localhost only.");
  }
  try {
    return await devices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (error) {
    throw explainRefusal(error);
  }
}

function explainRefusal(error: unknown): AudioError {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return new AudioError(
        "microphone-refused",
        "This page may not use the microphone. Allow it in the address bar, then press Record again.",
        error,
      );
    case "NotFoundError":
      return new AudioError(
        "microphone-missing",
        "No microphone was found. Connect one, or choose a file.",
        error,
      );
    default:
      return new AudioError(
        "microphone-busy",
        "The microphone could not be opened. Another program may be using it.",
        error,
      );
  }
}
