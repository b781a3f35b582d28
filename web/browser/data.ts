// What the page shows, as asr/report/browser/folder.py writes it into data/.

/** A pair of the edit alignment: reference, hypothesis, start and end of each in ms, and the hypothesis's score. */
type Pair = [
  string | null, string | null, number | null, number | null, number | null, number | null, number | null,
];

interface Run {
  title: string;
  per: number;
  utterances: number;
  chunks: number;
  audio: "link" | "embed" | "none";
  /** Heights of the waveform and the spectrogram in the pictures. */
  picture: [number, number];
  phones: string[];
  classOf: [string, string][];
  classes: string[];
}

interface Utterance {
  name: string;
  speaker: string;
  seconds: number;
  /** Substitutions, deletions, insertions and reference phones. */
  counts: [number, number, number, number];
  pairs: Pair[];
  text?: string;
  /** Words with start and end in ms. */
  words?: [string, number, number][];
  /** Sex, dialect and whatever else the corpus says of the speaker. */
  groups?: Record<string, string>;
  picture?: string;
  audio?: string;
}

type Kind = "" | "S" | "D" | "I";

const KIND_NAMES: Record<Kind, string> = { "": "right", S: "substitution", D: "deletion", I: "insertion" };

/** In addresses and filters: no phone, as in a deletion or an insertion. */
const NOTHING = "-";

let run: Run | null = null;
const utterances: Utterance[] = [];
const classOf = new Map<string, string>();

function kindOf(pair: Pair): Kind {
  if (pair[0] === pair[1]) return "";
  return pair[0] === null ? "I" : pair[1] === null ? "D" : "S";
}

function errorsOf(utterance: Utterance): number {
  return utterance.counts[0] + utterance.counts[1] + utterance.counts[2];
}

function errorRate(utterance: Utterance): number {
  return (100 * errorsOf(utterance)) / Math.max(1, utterance.counts[3]);
}

/** From the first to the last moment (s) of a pair's two phones. */
function spanOf(pair: Pair): [number, number] {
  const starts = [pair[2], pair[4]].filter((time): time is number => time !== null);
  const ends = [pair[3], pair[5]].filter((time): time is number => time !== null);
  return [Math.min(...starts) / 1000, Math.max(...ends) / 1000];
}

function wordAt(utterance: Utterance, seconds: number): string | null {
  const word = utterance.words?.find(([, start, end]) => start <= 1000 * seconds && 1000 * seconds < end);
  return word ? word[0] : null;
}

/** An element with a class, text and attributes; text from the corpus is only ever set as text. */
function element<K extends keyof HTMLElementTagNameMap>(
  tag: K, name = "", text = "", attributes: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}
