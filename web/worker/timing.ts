// The times of recognised phones, from the second output of a model: asr/alignment/timing.py.

/** As asr/serve/web_decoder.py writes it. */
interface Timing extends Hmm {
  /** The log prior of each class. */
  offsets: number[];
  /** The phones that are silences. */
  silences: number[];
  /** Seconds of the first frame and from one to the next. */
  offset: number;
  shift: number;
}

/** Seconds of a phone that is squeezed in at the end of the audio. */
const SHORTEST_PHONE = 0.001;

/** The begin and end in seconds of each phone, which are aligned to `scores` [frames, classes]; null where they do not fit. */
function phoneTimes(phones: number[], timing: Timing, scores: Float32Array, classes: number, duration: number): [number, number][] | null {
  const frames = scores.length / classes;
  const items = withSilences(phones, timing.silences);
  const graph = new AlignmentGraph(items, timing);
  if (!phones.length || frames < graph.shortest) return null;
  const path = bestStates(graph, timing, scores, classes);
  const firsts = path.map((_, frame) => frame).filter((frame) => !frame || graph.units[path[frame]!] !== graph.units[path[frame - 1]!]);
  const found = firsts.map((frame) => path[frame]!);
  const edges = boundaries(found.map((state) => graph.phones[state]!), firsts, timing, scores, classes)
    .map((frame) => Math.min(duration, Math.max(0, timing.offset + timing.shift * frame)));
  [edges[0], edges[found.length]] = [0, duration];
  const inside = edges.map((edge, at) => Math.max(0, Math.min(edge, duration - SHORTEST_PHONE * (found.length - at))));
  return found.flatMap((state, at): [number, number][] =>
    items[graph.items[state]!]!.optional ? [] : [[inside[at]!, inside[at + 1]!]]);
}

/** The phones, with an optional silence between any two that are none. */
function withSilences(phones: number[], silences: number[]): Item[] {
  const optional: Item[] = silences.length ? [{ phones: silences, optional: true }] : [];
  const items: Item[] = [];
  let afterSpeech = true;
  for (const phone of phones) {
    const speech = !silences.includes(phone);
    if (speech && afterSpeech) items.push(...optional);
    items.push({ phones: [phone], optional: false });
    afterSpeech = speech;
  }
  return afterSpeech ? [...items, ...optional] : items;
}
