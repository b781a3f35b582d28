// Where each boundary most probably is, finer than a frame: asr/alignment/posterior.py.

/** The factor of the acoustic scores, how many states around the best path are considered in each frame, and the
 * probabilities of being before a boundary at its median and at the ends of its interval. */
const BOUNDARY_SCALE = Math.fround(0.2), BAND = 256, LEVELS = [0.5, 0.975, 0.025];

/** The states `lowest` [frames] to `lowest` + `width` - 1 in each frame; it never moves back. */
interface Band { lowest: Int32Array; width: number }

/** The medians, lows and highs, in frames, of the beginnings of known phones and of the end of the last, for a graph
 * without choices; `firsts` are the frames in which each begins on the best path through `scores` [frames, classes]. */
function boundaries(graph: AlignmentGraph, firsts: number[], scores: Float32Array, classes: number): number[][] {
  const frames = scores.length / classes;
  const { units } = graph;
  const states = units.map((_, state) => state).filter((state) => units[state] !== NO_PHONE);
  const first = states.filter((state) => units[state] !== units[state - 1]);
  const last = states.filter((state) => units[state] !== units[state + 1]);
  const band = bandAround(first, firsts, frames, units.length);
  const passed = passedStates(graph, band, scores, classes);
  return LEVELS.map((level) => {
    const begins = first.map((state) => crossing(passed, band, state - 1, level));
    const ends = last.map((state) => crossing(passed, band, state, level));
    let reached = 0;
    return [...begins, 0].map((begin, phone) => {
      const end = ends[phone - 1];
      const edge = end === undefined ? begin : phone === begins.length ? end : (end + begin) / 2;
      return (reached = Math.max(reached, Math.min(frames, Math.max(0, edge))));
    });
  });
}

function bandAround(first: number[], firsts: number[], frames: number, states: number): Band {
  const width = Math.min(BAND, states), lowest = new Int32Array(frames);
  for (let frame = 0, phone = 0; frame < frames; frame++) {
    while (phone + 1 < firsts.length && firsts[phone + 1]! <= frame) phone++;
    lowest[frame] = Math.max(0, Math.min(states - width, first[phone]! - Math.floor(width / 2)));
  }
  return { lowest, width };
}

/** The probability [frames, width] of being, in each frame, at a state of the band or before it. */
function passedStates(graph: AlignmentGraph, { lowest, width }: Band, scores: Float32Array, classes: number): Float64Array {
  const frames = lowest.length;
  const emission = (frame: number, state: number): number =>
    Math.fround(BOUNDARY_SCALE * scores[frame * classes + graph.classes[state]!]!);
  const forward = new Float64Array(frames * width).fill(-Infinity);
  const backward = new Float64Array(frames * width).fill(-Infinity);
  for (let column = 0; column < width; column++) {
    if (graph.starts[lowest[0]! + column]) forward[column] = emission(0, lowest[0]! + column);
    backward[(frames - 1) * width + column] = -(graph.finals.get(lowest[frames - 1]! + column) ?? Infinity);
  }
  for (let frame = 1; frame < frames; frame++) {
    const before = (frame - 1) * width - lowest[frame - 1]!;
    for (let state = lowest[frame]!; state < lowest[frame]! + width; state++) {
      const inside = (source: number): boolean => source >= lowest[frame - 1]! && source < lowest[frame - 1]! + width;
      let reached = inside(state) ? forward[before + state]! - graph.stay[state]! : -Infinity;
      graph.sources[state]!.forEach((source, move) => {
        if (inside(source)) reached = logAdd(reached, forward[before + source]! - graph.costs[state]![move]!);
      });
      forward[frame * width + state - lowest[frame]!] = reached + emission(frame, state);
    }
  }
  for (let frame = frames - 2; frame >= 0; frame--) {
    const now = frame * width - lowest[frame]!;
    const leave = (source: number, arrived: number): void => {
      if (source < lowest[frame]! || source >= lowest[frame]! + width) return;
      backward[now + source] = logAdd(backward[now + source]!, arrived);
    };
    for (let state = lowest[frame + 1]!; state < lowest[frame + 1]! + width; state++) {
      const arrived = backward[(frame + 1) * width + state - lowest[frame + 1]!]! + emission(frame + 1, state);
      leave(state, arrived - graph.stay[state]!);
      graph.sources[state]!.forEach((source, move) => leave(source, arrived - graph.costs[state]![move]!));
    }
  }
  for (let frame = 0; frame < frames; frame++) {
    const row = forward.subarray(frame * width, (frame + 1) * width);
    let most = -Infinity, sum = 0, before = 0;
    row.forEach((value, column) => (most = Math.max(most, row[column] = value + backward[frame * width + column]!)));
    row.forEach((value, column) => (sum += row[column] = Math.exp(value - most)));
    row.forEach((value, column) => (before = row[column] = before + value / sum));
  }
  return forward;
}

/** When the probability of being at a state or before it, which falls from 1 to 0, crosses a level; linear between the
 * middles of frames. */
function crossing(passed: Float64Array, { lowest, width }: Band, state: number, level: number): number {
  let frame = 0;
  while (frame < lowest.length && lowest[frame]! < state - width + 2) frame++;
  let above = 1;
  for (; frame < lowest.length && lowest[frame]! <= state; frame++) {
    const below = Math.min(above, passed[frame * width + state - lowest[frame]!]!);
    if (below < level) return frame - 0.5 + (above - level) / (above - below);
    above = below;
  }
  return frame - 0.5 + (above - level) / above;
}
