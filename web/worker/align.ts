// When the words or phones of a transcript are said: asr/alignment/aligner.py.

/** What a model aligns with, as asr/serve/web_alignment.py writes it. */
interface Aligning extends Classes, FrameTimes, Symbols { fit: FitGroups }

interface TimedPhone { phone: string; start: number; end: number; score?: number }

interface Aligned {
  phones: TimedPhone[];
  words: { word: string; start: number; end: number }[];
  intervals: [number, number][];
  fit?: number;
}

function align(spoken: Spoken, scored: Scored, aligning: Aligning, symbols: string[]): Aligned {
  const aligned = forceAlign(scored, spoken.items, aligning);
  const reaching = (phone: number): boolean => aligning.topology === "hmm" || aligning.silences.includes(phone);
  const [middles, lows, highs] = boundarySeconds(aligned, aligning, scored.duration, reaching)
    .map((times) => times.map(rounded)) as [number[], number[], number[]];
  const fit = fitOf(scored.posteriors, aligned, aligning, aligning.fit);
  return {
    phones: aligned.phones.map((phone, at) => ({
      phone: symbols[phone]!, start: middles[at]!, end: middles[at + 1]!, score: rounded(aligned.scores[at]!),
    })),
    words: wordSegments(aligned.items, spoken.words, middles),
    intervals: lows.slice(1, -1).map((low, at) => [low, highs[at + 1]!]),
    ...(fit === undefined ? {} : { fit: rounded(fit) }),
  };
}

/** The words of phones that come from `items`, with the phones' boundaries. */
function wordSegments(items: number[], labels: (string | null)[], times: number[]): Aligned["words"] {
  const words: Aligned["words"] = [];
  items.forEach((item, at) => {
    const word = labels[item]!;
    if (word === null) return;
    if (item === items[at - 1]) words[words.length - 1]!.end = times[at + 1]!;
    else words.push({ word, start: times[at]!, end: times[at + 1]! });
  });
  return words;
}

/** To the places with which times and scores are written. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
