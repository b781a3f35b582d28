// Runs the model in onnxruntime-web and searches the best phones.

interface Tensor { data: Float32Array | BigInt64Array; dims: number[] }
declare const ort: {
  env: { wasm: { numThreads: number; wasmPaths: string } };
  Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: number[]) => Tensor;
  InferenceSession: {
    create: (model: string, options: object) => Promise<{ run: (feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>> }>;
  };
};
declare function importScripts(...names: string[]): void;

interface Decoder {
  graph: Graph;
  phones: string[];
  /** What is subtracted from the log posterior of each class: its scaled log prior. */
  offsets: number[];
  scale: number;
  beam: number;
  /** Seconds of the first frame and from one to the next. */
  offset: number;
  shift: number;
  sampleRate: number;
  /** Samples of the shortest recording. */
  shortest: number;
}

importScripts("ort.wasm.min.js");
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", location.href).href;

const loaded = Promise.all([
  ort.InferenceSession.create("model.onnx", { executionProviders: ["wasm"] }),
  fetch("decoder.json").then((response) => response.json() as Promise<Decoder>),
]);
loaded.catch(() => undefined);

async function recognised(samples: Float32Array): Promise<{ phones: { phone: string; start: number; end: number }[]; duration: number }> {
  const [session, decoder] = await loaded;
  if (samples.length < decoder.shortest) throw new Error("the recording is shorter than one frame (25 ms)");
  const outputs = await session.run({
    waveforms: new ort.Tensor("float32", samples, [1, samples.length]),
    lengths: new ort.Tensor("int64", BigInt64Array.from([BigInt(samples.length)]), [1]),
  });
  const posteriors = outputs["log_posteriors"];
  const frames = Number((outputs["frames"]?.data as BigInt64Array)[0]);
  const classes = posteriors?.dims[2] ?? 0;
  const scores = (posteriors?.data as Float32Array).slice(0, frames * classes);
  for (let at = 0; at < scores.length; at++) scores[at]! -= decoder.offsets[at % classes]!;
  const duration = rounded(samples.length / decoder.sampleRate);
  const time = (frame: number): number =>
    rounded(Math.min(duration, Math.max(0, decoder.offset + frame * decoder.shift)));
  const phones = bestPath(decoder.graph, scores, classes, decoder.scale, decoder.beam).map(({ phone, first, end }) =>
    ({ phone: decoder.phones[phone]!, start: time(first), end: time(end) }));
  return { phones, duration };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10_000) / 10_000;
}

let last: Promise<void> = Promise.resolve();

onmessage = (event) => {
  const { id, samples } = event.data as { id: number; samples: Float32Array };
  last = last.then(() => recognised(samples)).then(
    (found) => postMessage({ id, ...found }),
    (error: unknown) => postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
  );
};
