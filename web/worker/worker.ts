// Runs the model in onnxruntime-web and searches the best phones.

interface Tensor { data: Float32Array | BigInt64Array; dims: number[] }
interface Session { run: (feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>> }
declare const ort: {
  env: { wasm: { numThreads: number; wasmPaths: string; wasmBinary: ArrayBuffer } };
  Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: number[]) => Tensor;
  InferenceSession: { create: (model: string, options: object) => Promise<Session> };
};
declare function importScripts(...names: string[]): void;

interface GraphSearch { search: "graph"; graph: Graph; scale: number; beam: number }
interface PrefixBeam { search: "prefix_beam"; prefixes: number; weight: number; penalty: number; wordStart: string }
interface Greedy { search: "greedy" }

/** As asr/serve/web_decoder.py writes it. */
type Decoder = (GraphSearch | PrefixBeam | Greedy) & {
  phones: string[];
  /** What is subtracted from the log posterior of each class: its scaled log prior. */
  offsets: number[];
  /** Seconds of the first frame and from one to the next. */
  offset: number;
  shift: number;
  sampleRate: number;
  /** Samples of the shortest recording. */
  shortest: number;
  /** Of a second output, if there is one. */
  timing: Timing | null;
};

type Search = (scores: Float32Array, classes: number) => Span[];

importScripts("ort.wasm.min.js");
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", location.href).href;

async function loadSession(): Promise<Session> {
  ort.env.wasm.wasmBinary = await unpacked("ort-wasm-simd-threaded.wasm.gz");
  return ort.InferenceSession.create("model.onnx", { executionProviders: ["wasm"] });
}

async function loadDecoder(): Promise<[Decoder, Search]> {
  const decoder = (await (await fetch("decoder.json")).json()) as Decoder;
  return [decoder, await searchOf(decoder)];
}

async function searchOf(decoder: Decoder): Promise<Search> {
  if (decoder.search === "greedy") return greedy;
  if (decoder.search === "graph") {
    return (scores, classes) => bestPath(decoder.graph, scores, classes, decoder.scale, decoder.beam);
  }
  const lines = new TextDecoder().decode(await unpacked("lm.arpa.gz")).split("\n");
  const prior = { ngram: new Ngram(lines, decoder.phones, decoder.wordStart), weight: decoder.weight, penalty: decoder.penalty };
  return (scores, classes) => forcedPath(scores, classes, bestPhones(scores, classes, decoder.prefixes, prior));
}

/** A file's content, which some web servers unpack themselves. */
async function unpacked(name: string): Promise<ArrayBuffer> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const content = await response.arrayBuffer();
  const [first, second] = new Uint8Array(content);
  if (first !== 0x1f || second !== 0x8b) return content;
  return new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

const loaded = Promise.all([loadSession(), loadDecoder()]);
loaded.catch(() => undefined);

interface TimedPhone { phone: string; start: number; end: number }

async function recognised(samples: Float32Array): Promise<{ phones: TimedPhone[]; duration: number }> {
  const [session, [decoder, search]] = await loaded;
  if (samples.length < decoder.shortest) throw new Error("the recording is shorter than one frame (25 ms)");
  const outputs = await session.run({
    waveforms: new ort.Tensor("float32", samples, [1, samples.length]),
    lengths: new ort.Tensor("int64", BigInt64Array.from([BigInt(samples.length)]), [1]),
  });
  const duration = rounded(samples.length / decoder.sampleRate);
  const spans = search(...scaled(outputs, "log_posteriors", "frames", decoder.offsets));
  const time = (frame: number): number => Math.min(duration, Math.max(0, decoder.offset + frame * decoder.shift));
  const times = decoder.timing && phoneTimes(
    spans.map(({ phone }) => phone), decoder.timing,
    ...scaled(outputs, "timing_log_posteriors", "timing_frames", decoder.timing.offsets), duration,
  );
  const phones = spans.map(({ phone, first, end }, at) => {
    const [from, to] = times ? times[at]! : [time(first), time(end)];
    return { phone: decoder.phones[phone]!, start: rounded(from), end: rounded(to) };
  });
  return { phones, duration };
}

/** The scaled likelihoods [frames, classes] of an output, and its classes. */
function scaled(outputs: Record<string, Tensor>, name: string, length: string, offsets: number[]): [Float32Array, number] {
  const posteriors = outputs[name]?.data as Float32Array;
  const frames = Number((outputs[length]?.data as BigInt64Array)[0]);
  const scores = posteriors.slice(0, frames * offsets.length);
  for (let at = 0; at < scores.length; at++) scores[at]! -= offsets[at % offsets.length]!;
  return [scores, offsets.length];
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
