// The engine of a page without a server: the model itself, in a worker of this browser.

/** Seconds that are recognised again at each step while one speaks, and those that the window keeps when it moves on. */
const LIVE_WINDOW = 6, LIVE_KEPT = 3, LIVE_STEP = 0.3, LIVE_MARGIN = 0.5;

/** What is typed as said. */
interface Typed { kind: "words" | "phones"; text: string }

/** Recognises samples at the model's rate, or aligns what is typed to them. */
type Recognise = (samples: Float32Array, typed?: Typed) => Promise<Transcript>;

function startWorker(): { recognise: Recognise; runsOn: Promise<string> } {
  const worker = new Worker("worker.js");
  let loaded: (runsOn: string) => void;
  const runsOn = new Promise<string>((resolve) => (loaded = resolve));
  const answers = new Map<number, { resolve: (found: Transcript) => void; reject: (error: Error) => void }>();
  worker.onmessage = (event) => {
    const { id, error, runsOn, ...found } = event.data as
      Omit<Transcript, "utterance"> & { id: number; error?: string; runsOn?: string };
    if (runsOn !== undefined) return loaded(runsOn);
    const answer = answers.get(id);
    answers.delete(id);
    if (error === undefined) answer?.resolve({ utterance: "recording", ...found });
    else answer?.reject(new Error(error));
  };
  let asked = 0, failed: Error | null = null;
  worker.onerror = () => {
    failed = new Error("the model could not be loaded; load the page again");
    for (const { reject } of answers.values()) reject(failed);
  };
  const recognise: Recognise = (samples, typed) => new Promise((resolve, reject) => {
    if (failed) return reject(failed);
    answers.set(++asked, { resolve, reject });
    worker.postMessage({ id: asked, samples, ...typed });
  });
  return { recognise, runsOn };
}

class LocalLive implements LiveSession {
  private readonly pieces: Float32Array[] = [];
  private length = 0;
  private stepped = 0;
  private first = 0;
  private phones: Phone[] = [];
  private before: Phone[] = [];
  private step: Promise<void> | null = null;

  constructor(
    private readonly recognise: Recognise, private readonly rate: number, private readonly wanted: number,
    private readonly show: (phones: Phone[]) => void,
  ) {}

  add(samples: Float32Array): void {
    this.pieces.push(samples);
    this.length += samples.length;
    if (this.step || this.length - this.stepped < LIVE_STEP * this.rate) return;
    this.stepped = this.length;
    this.step = this.recogniseWindow().catch(() => undefined).then(() => void (this.step = null));
  }

  async finish(): Promise<Transcript> {
    await this.step;
    const sound = await resample({ samples: joined(this.pieces), rate: this.rate }, this.wanted);
    return this.recognise(sound.samples);
  }

  private async recogniseWindow(): Promise<void> {
    if (this.length - this.first > LIVE_WINDOW * this.rate) {
      this.before = this.phones;
      this.first = this.length - LIVE_KEPT * this.rate;
    }
    const begin = this.first / this.rate;
    const sound = await resample({ samples: joined(this.pieces).subarray(this.first), rate: this.rate }, this.wanted);
    const found = (await this.recognise(sound.samples)).phones.map((phone) =>
      ({ ...phone, start: phone.start + begin, end: phone.end + begin }));
    const kept = this.first ? this.before.filter((phone) => phone.end <= begin + LIVE_MARGIN) : [];
    const reached = kept[kept.length - 1]?.end ?? 0;
    this.phones = [...kept, ...found.filter((phone) => (phone.start + phone.end) / 2 > reached)];
    this.show(this.phones);
  }
}

function localEngine(): Engine {
  const { recognise, runsOn } = startWorker();
  let sampleRate = 16000;
  return {
    runsOn,
    about: async () => {
      const told = (await (await fetch("about.json")).json()) as About;
      sampleRate = told.sample_rate;
      if ("serviceWorker" in navigator) void navigator.serviceWorker.register("service_worker.js");
      return told;
    },
    decode: async (_, name) => {
      throw new Error(`${name}: not a recording that this browser plays; convert it to WAV or FLAC`);
    },
    transcribe: async (item) =>
      ({ ...(await recognise(item.sound.samples)), utterance: stem(item.name), audio: item.name }),
    align: async (item, kind, text) =>
      ({ ...(await recognise(item.sound.samples, { kind, text })), utterance: stem(item.name), audio: item.name }),
    live: (rate, show) => new LocalLive(recognise, rate, sampleRate, show),
  };
}
