// Transcripts as the JSON API and asr's JSON Lines have them; times are in seconds.

interface Phone { phone: string; start: number; end: number; score?: number }
interface Word { word: string; start: number; end: number }

interface Transcript {
  utterance: string;
  audio?: string;
  duration?: number;
  fit?: number;
  phones: Phone[];
  words?: Word[];
  /** The earliest and latest plausible time of the boundary after each phone but the last. */
  intervals?: [number, number][];
}

/** What is recognised beside what is said, without silence; null is a phone that one side does not have. */
interface Comparison {
  per: number;
  substitutions: number;
  deletions: number;
  insertions: number;
  reference_phones: number;
  pairs: { reference: string | null; hypothesis: string | null; start: number; end: number }[];
}

/** Mono samples in [-1, 1]. */
interface Sound { samples: Float32Array; rate: number }

/** What the user works on: a recording and what is known of it. */
interface Item {
  name: string;
  sound: Sound;
  /** The file as it was given; null for a recording of the microphone. */
  file: Blob | null;
  transcript: Transcript | null;
  /** Once words or phones were aligned. */
  comparison: Comparison | null;
  /** Transcripts before each correction, the latest last. */
  undo: Transcript[];
}

function secondsOf(sound: Sound): number {
  return sound.samples.length / sound.rate;
}

function stem(name: string): string {
  return name.replace(/(.)\.[^.]*$/, "$1");
}
