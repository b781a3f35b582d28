// Where each boundary most probably is, finer than a frame: asr/alignment/posterior.py, for HMMs.

/** The factor of the acoustic scores, and how many states around the best path are considered in each frame. */
const BOUNDARY_SCALE = Math.fround(0.2), BAND = 256;

/** The medians, in frames, of the beginnings of known phones and of the end of the last; `firsts` are the frames in which
 * each begins on the best path through `scores` [frames, classes]. */
function boundaries(phones: number[], firsts: number[], hmm: Hmm, scores: Float32Array, classes: number): number[] {
  const frames = scores.length / classes;
  const labels = phones.flatMap((phone) => Array.from({ length: hmm.states }, (_, state) => phone * hmm.states + state));
  const width = Math.min(BAND, labels.length);
  const lowest = new Int32Array(frames);
  for (let frame = 0, phone = 0; frame < frames; frame++) {
    while (phone + 1 < firsts.length && firsts[phone + 1]! <= frame) phone++;
    lowest[frame] = Math.max(0, Math.min(labels.length - width, phone * hmm.states - Math.floor(width / 2)));
  }
  const passed = passedStates(labels, lowest, width, hmm, scores, classes);
  const edges = [0];
  for (let phone = 1; phone < phones.length; phone++) {
    const edge = median(passed, lowest, width, phone * hmm.states - 1);
    edges.push(Math.min(frames, Math.max(edge, edges[phone - 1]!)));
  }
  return [...edges, frames];
}

/** The probability [frames, width] of being, in each frame, at a state of the band or before it. Every path leaves each
 * state once, so the costs of leaving change nothing. */
function passedStates(labels: number[], lowest: Int32Array, width: number, hmm: Hmm, scores: Float32Array, classes: number): Float64Array {
  const frames = lowest.length, last = labels.length - 1;
  const emission = (frame: number, state: number): number =>
    Math.fround(BOUNDARY_SCALE * scores[frame * classes + labels[state]!]!);
  const forward = new Float64Array(frames * width).fill(-Infinity);
  const backward = new Float64Array(frames * width).fill(-Infinity);
  const at = (sums: Float64Array, frame: number, state: number): number => {
    const column = state - lowest[frame]!;
    return column < 0 || column >= width ? -Infinity : sums[frame * width + column]!;
  };
  const stay = (state: number): number => -hmm.stay[labels[state]!]!;
  if (lowest[0] === 0) forward[0] = emission(0, 0);
  for (let frame = 1; frame < frames; frame++) {
    for (let state = lowest[frame]!; state < lowest[frame]! + width; state++) {
      const reached = logAdd(at(forward, frame - 1, state) + stay(state), at(forward, frame - 1, state - 1));
      forward[frame * width + state - lowest[frame]!] = reached + emission(frame, state);
    }
  }
  backward[frames * width - 1] = 0;
  for (let frame = frames - 2; frame >= 0; frame--) {
    const arrived = (state: number): number =>
      (state > last ? -Infinity : at(backward, frame + 1, state) + emission(frame + 1, state));
    for (let state = lowest[frame]!; state < lowest[frame]! + width; state++) {
      backward[frame * width + state - lowest[frame]!] = logAdd(arrived(state) + stay(state), arrived(state + 1));
    }
  }
  for (let frame = 0; frame < frames; frame++) {
    const row = forward.subarray(frame * width, (frame + 1) * width);
    let most = -Infinity, sum = 0;
    row.forEach((value, column) => (most = Math.max(most, row[column] = value + backward[frame * width + column]!)));
    row.forEach((value, column) => (sum += row[column] = Math.exp(value - most)));
    let before = 0;
    row.forEach((value, column) => (before = row[column] = before + value / sum));
  }
  return forward;
}

/** When the probability of being at a state or before it, which falls from 1 to 0, is a half; linear between the middles of
 * frames. */
function median(passed: Float64Array, lowest: Int32Array, width: number, state: number): number {
  let frame = 0;
  while (frame < lowest.length && lowest[frame]! < state - width + 2) frame++;
  let above = 1;
  for (; frame < lowest.length && lowest[frame]! <= state; frame++) {
    const below = Math.min(above, passed[frame * width + state - lowest[frame]!]!);
    if (below < 0.5) return frame - 0.5 + (above - 0.5) / (above - below);
    above = below;
  }
  return frame - 0.5 + (above - 0.5) / above;
}
