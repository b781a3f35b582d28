// The microphone, in pieces of samples.

interface Microphone { rate: number; stop: () => void }

/** Rejects where there is no microphone, or it is not allowed. */
async function openMicrophone(take: (samples: Float32Array) => void): Promise<Microphone> {
  if (!navigator.mediaDevices) {
    throw new Error("browsers only record on https pages and on localhost; send a file instead");
  }
  const options = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: options });
  const recording = new AudioContext();
  await recording.audioWorklet.addModule("recorder.js");
  const node = new AudioWorkletNode(recording, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  node.port.onmessage = (event) => take(event.data as Float32Array);
  recording.createMediaStreamSource(stream).connect(node);
  await recording.resume();
  return {
    rate: recording.sampleRate,
    stop: () => {
      node.port.onmessage = null;
      stream.getTracks().forEach((track) => track.stop());
      void recording.close();
    },
  };
}
