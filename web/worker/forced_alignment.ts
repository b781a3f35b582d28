// Known phones in an utterance: asr/alignment/forced_alignment.py.

/** What a model says of an utterance: log posteriors and scaled likelihoods, [frames, classes], and its duration in s. */
interface Scored { posteriors: Float32Array; scores: Float32Array; classes: number; duration: number }

/** The times of a model's frames: seconds of the first, and from one to the next. */
interface FrameTimes { offset: number; shift: number }

interface ForcedAlignment {
  phones: number[];
  /** The item of the transcript that each comes from. */
  items: number[];
  /** The medians, lows and highs of the beginning of each and the end of the last, in frames. */
  edges: number[][];
  /** The geometric mean, over a phone's frames, of the posteriors of their classes; 0 to 1. */
  scores: number[];
  /** The class of each frame on the best path. */
  classes: number[];
}

/** Seconds of a phone that is squeezed in at the end of the audio. */
const SHORTEST_PHONE = 0.001;

/** Throws Unfit where the phones do not fit. */
function forceAlign({ posteriors, scores, classes }: Scored, transcript: Item[], model: Classes): ForcedAlignment {
  const graph = new AlignmentGraph(transcript, model);
  const path = bestStates(graph, scores, classes);
  const firsts: number[] = [], sums: number[] = [], lengths: number[] = [];
  let unit = NO_PHONE;
  path.forEach((state, frame) => {
    if (graph.units[state] === NO_PHONE) return;
    if (graph.units[state] !== unit) {
      unit = graph.units[state]!;
      firsts.push(frame);
      sums.push(0);
      lengths.push(0);
    }
    sums[sums.length - 1]! += posteriors[frame * classes + graph.classes[state]!]!;
    lengths[lengths.length - 1]!++;
  });
  const found = firsts.map((frame) => path[frame]!);
  const phones = found.map((state) => graph.phones[state]!);
  return {
    phones,
    items: found.map((state) => graph.items[state]!),
    edges: boundaries(new AlignmentGraph(phones, model), firsts, scores, classes),
    scores: sums.map((sum, at) => Math.min(1, Math.exp(sum / lengths[at]!))),
    classes: path.map((state) => graph.classes[state]!),
  };
}

/** The medians, lows and highs in seconds. The first and the last phone reach the ends of the audio if `reaching`. */
function boundarySeconds(aligned: ForcedAlignment, times: FrameTimes, duration: number, reaching: (phone: number) => boolean): number[][] {
  const { phones, edges } = aligned, count = phones.length;
  return edges.map((frames) => {
    const seconds = frames.map((frame) => Math.min(duration, Math.max(0, times.offset + times.shift * frame)));
    if (reaching(phones[0]!)) seconds[0] = 0;
    if (reaching(phones[count - 1]!)) seconds[count] = duration;
    return seconds.map((edge, at) => Math.max(0, Math.min(edge, duration - SHORTEST_PHONE * (count - at))));
  });
}
