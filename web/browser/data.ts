// What the page shows, as asr/report/browser/folder.py writes it into data/.

/**
 * A pair of the edit alignment: reference, hypothesis, start and end of each in ms, and the hypothesis's score; of two
 * runs also a Place.
 */
type Pair = [
  string | null, string | null, number | null, number | null, number | null, number | null, number | null, Place?,
];

/** Who is right, as in asr/scoring/differing.py. */
enum Place { same, onlyOther, onlyThis, neither }

type Counts = [substitutions: number, deletions: number, insertions: number, phones: number];

/** From when to when (ms); null where that is not known. */
type Interval = [earliest: number, latest: number] | null;

/** What is known of the boundaries of an utterance, for each pair. */
interface Boundaries {
  /** How late (ms) the phone begins and ends; null where it is not right, or the next one's begin is this one's end. */
  late?: ([begin: number | null, end: number | null] | null)[];
  /** When they plausibly are: the reference's begin and end, and the hypothesis's. */
  intervals?: [Interval, Interval, Interval, Interval][];
}

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
  /** Whether any words have times. */
  words: boolean;
  /** Whether the boundaries have intervals. */
  intervals?: boolean;
  /** Of two runs. */
  beside?: { names: [string, string]; pers: [number, number] };
}

interface Utterance extends Boundaries {
  name: string;
  speaker: string;
  seconds: number;
  counts: Counts;
  /** Those of both runs, once `joinPairs` was called. */
  pairs: Pair[];
  /** The second run. */
  other?: { counts: Counts; pairs: Pair[] } & Boundaries;
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

/** Puts the pairs of the second run, and what is known of their boundaries, after those of the first. */
function joinPairs(utterance: Utterance): void {
  const { pairs, other } = utterance;
  if (!other) return;
  utterance.pairs = pairs.concat(other.pairs);
  if (utterance.late || other.late) {
    utterance.late = [...(utterance.late ?? pairs.map(() => null)), ...(other.late ?? [])];
  }
  if (utterance.intervals || other.intervals) {
    const unknown = pairs.map((): [null, null, null, null] => [null, null, null, null]);
    utterance.intervals = [...(utterance.intervals ?? unknown), ...(other.intervals ?? [])];
  }
}

/** The places of the first run's pairs, or the second's: from, and up to. */
function placesOf(utterance: Utterance, side: 0 | 1): [number, number] {
  const firsts = utterance.pairs.length - (utterance.other?.pairs.length ?? 0);
  return side === 0 ? [0, firsts] : [firsts, utterance.pairs.length];
}

/** Whose pair it is at a place: the first run's (0) or the second's (1). */
function sideOf(utterance: Utterance, at: number): 0 | 1 {
  return at < placesOf(utterance, 0)[1] ? 0 : 1;
}

function sides(utterance: Utterance): (0 | 1)[] {
  return utterance.other ? [0, 1] : [0];
}

const SIDE_NAMES = ["A", "B"] as const;

function errorsOf(utterance: Utterance, side: 0 | 1 = 0): number {
  const counts = side ? utterance.other?.counts ?? utterance.counts : utterance.counts;
  return counts[0] + counts[1] + counts[2];
}

function errorRate(utterance: Utterance, side: 0 | 1 = 0): number {
  return (100 * errorsOf(utterance, side)) / Math.max(1, utterance.counts[3]);
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
