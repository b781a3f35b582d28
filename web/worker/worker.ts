// Runs the model in onnxruntime-web and searches the best phones.

interface Tensor { data: Float32Array | BigInt64Array; dims: number[] }
interface Session { run: (feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>> }
declare const ort: {
  env: { wasm: { numThreads: number; wasmPaths: string; wasmBinary: ArrayBuffer } };
  Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: number[]) => Tensor;
  InferenceSession: { create: (model: string, options: object) => Promise<Session> };
};
declare function importScripts(...names: string[]): void;
interface WorkerNavigator { gpu?: { requestAdapter: () => Promise<object | null> } }

interface GraphSearch { search: "graph"; graph: Graph; scale: number; beam: number }
interface PrefixBeam { search: "prefix_beam"; prefixes: number; weight: number; penalty: number; wordStart: string }
interface Greedy { search: "greedy" }

/** As asr/serve/web_decoder.py writes it. */
type Decoder = (GraphSearch | PrefixBeam | Greedy) & FrameTimes & {
  phones: string[];
  /** What is subtracted from the log posterior of each class: its scaled log prior. */
  offsets: number[];
  sampleRate: number;
  /** Samples of the shortest recording. */
  shortest: number;
  /** Null where the recipe wants none. */
  confidences: Confidences | null;
  /** Whether the model has a second output, which aligns, and times what the first recognises. */
  timed: boolean;
  aligning: Aligning;
  runtime: Runtime;
};

/** The files of onnxruntime-web, and whether it can use WebGPU. */
interface Runtime { script: string; wasm: string; webgpu: boolean }

type Search = (scores: Float32Array, classes: number) => Path;

async function loadSession({ script, wasm, webgpu }: Runtime): Promise<Session> {
  importScripts(script);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("./", location.href).href;
  ort.env.wasm.wasmBinary = await unpacked(wasm);
  const gpu = webgpu && (await navigator.gpu?.requestAdapter().catch(() => null));
  const provider = gpu ? "webgpu" : "wasm";
  const session = await ort.InferenceSession.create("model.onnx", {
    executionProviders: [provider], logSeverityLevel: 3, // errors
  });
  postMessage({ runsOn: { webgpu: "WebGPU", wasm: "WebAssembly" }[provider] });
  return session;
}

interface Loaded { decoder: Decoder; session: Session; search: Search; judge: Judge | null }

async function load(): Promise<Loaded> {
  const decoder = JSON.parse(await text("decoder.json.gz")) as Decoder;
  const session = loadSession(decoder.runtime);
  const { confidences } = decoder;
  const graph = confidences?.graph ?? (decoder.search === "graph" ? decoder.graph : null);
  const judge = confidences && graph && judgeOf(confidences, graph);
  return { decoder, judge, search: await searchOf(decoder), session: await session };
}

async function searchOf(decoder: Decoder): Promise<Search> {
  if (decoder.search === "greedy") return greedy;
  if (decoder.search === "graph") {
    return (scores, classes) => bestPath(decoder.graph, scores, classes, decoder.scale, decoder.beam);
  }
  const lines = (await text("lm.arpa.gz")).split("\n");
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

async function text(name: string): Promise<string> {
  return new TextDecoder().decode(await unpacked(name));
}

const loaded = load();
loaded.catch(() => undefined);
let lexicon: Promise<Lexicon> | null = null;

/** What is asked of the worker: the phones of a recording, or with a text when they are said. */
interface Task { samples: Float32Array; kind?: "words" | "phones"; text?: string }
interface Found extends Partial<Aligned> { phones: TimedPhone[]; duration: number }

async function work({ samples, kind, text }: Task): Promise<Found> {
  const model = await loaded;
  const { decoder, session } = model;
  if (samples.length < decoder.shortest) throw new Error("the recording is shorter than one frame (25 ms)");
  const spoken = kind && text !== undefined ? await spokenOf(kind, text, decoder) : null;
  const outputs = await session.run({
    waveforms: new ort.Tensor("float32", samples, [1, samples.length]),
    lengths: new ort.Tensor("int64", BigInt64Array.from([BigInt(samples.length)]), [1]),
  });
  const duration = rounded(samples.length / decoder.sampleRate);
  const aligned = (): Scored => decoder.timed
    ? scored(outputs, "timing_log_posteriors", "timing_frames", decoder.aligning.offsets, duration)
    : scored(outputs, "log_posteriors", "frames", decoder.aligning.offsets, duration);
  if (spoken) return { ...align(spoken, aligned(), decoder.aligning, decoder.phones), duration };
  const found = scored(outputs, "log_posteriors", "frames", decoder.offsets, duration);
  return { phones: recognised(found, model, decoder.timed ? aligned() : null), duration };
}

async function spokenOf(kind: "words" | "phones", said: string, { aligning }: Decoder): Promise<Spoken> {
  if (kind === "phones") return spokenPhones(said, aligning);
  lexicon ??= text("lexicon.txt.gz").then(readLexicon);
  lexicon.catch(() => (lexicon = null));
  return spokenWords(said, await lexicon, aligning);
}

/** The phones of an utterance, with the times of the second output, if there is one. */
function recognised({ scores, classes, duration }: Scored, { decoder, search, judge }: Loaded, timing: Scored | null): TimedPhone[] {
  const path = search(scores, classes);
  const confidences = judge && judge(path, scores);
  const times = timing && phoneTimes(path.phones.map(({ phone }) => phone), decoder.aligning, timing);
  const time = (frame: number): number => Math.min(duration, Math.max(0, decoder.offset + frame * decoder.shift));
  return path.phones.map(({ phone, first, end }, at) => {
    const [from, to] = times ? times[at]! : [time(first), time(end)];
    return {
      phone: decoder.phones[phone]!, start: rounded(from), end: rounded(to),
      ...(confidences ? { score: rounded(confidences[at]!) } : {}),
    };
  });
}

/** An output's log posteriors and scaled likelihoods. */
function scored(outputs: Record<string, Tensor>, name: string, length: string, offsets: number[], duration: number): Scored {
  const frames = Number((outputs[length]?.data as BigInt64Array)[0]), classes = offsets.length;
  const posteriors = (outputs[name]?.data as Float32Array).slice(0, frames * classes);
  const scores = posteriors.map((posterior, at) => posterior - offsets[at % classes]!);
  return { posteriors, scores, classes, duration };
}

let last: Promise<void> = Promise.resolve();

onmessage = (event) => {
  const { id, ...task } = event.data as Task & { id: number };
  last = last.then(() => work(task)).then(
    (found) => postMessage({ id, ...found }),
    (error: unknown) => postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
  );
};
