// What recognises speech: a server, or the model itself in this browser.

interface About {
  name: string;
  /** How well it recognises, where that is known. */
  quality?: string;
  sample_rate: number;
  phones: string[];
  /** Whether words can be aligned, not only phones. */
  words: boolean;
  limits: { megabytes: number; seconds: number; live_seconds: number };
}

/** A recording that is recognised while it grows. */
interface LiveSession {
  add: (samples: Float32Array) => void;
  finish: () => Promise<Transcript>;
}

interface Engine {
  about: () => Promise<About>;
  /** What the model runs on, where that is this browser; known when it is loaded. */
  runsOn?: Promise<string>;
  /** Sound that the browser itself cannot decode. */
  decode: (file: Blob, name: string) => Promise<Sound>;
  transcribe: (item: Item) => Promise<Transcript>;
  align: (item: Item, kind: "words" | "phones", text: string) => Promise<Transcript>;
  /** Compares what is recognised with what is said; the exported page cannot. */
  compare?: (item: Item, kind: "words" | "phones", text: string) => Promise<Comparison>;
  live: (rate: number, show: (phones: Phone[]) => void) => LiveSession;
}
