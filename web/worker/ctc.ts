// From CTC's frames to phones: asr/decoding/search/greedy.py, collapse.py and forced_path.py.

/** The best class of each frame, as phones. */
function greedy(scores: Float32Array, classes: number): Span[] {
  const best: number[] = [];
  for (let first = 0; first < scores.length; first += classes) {
    let label = 0;
    for (let other = 1; other < classes; other++) if (scores[first + other]! > scores[first + label]!) label = other;
    best.push(label);
  }
  return collapse(best);
}

/** A run of one class is one phone, blanks (0) are none; a phone lasts until the next begins. */
function collapse(labels: number[]): Span[] {
  const spans: Span[] = [];
  labels.forEach((label, frame) => {
    if (label === 0 || label === (labels[frame - 1] ?? 0)) return;
    const before = spans[spans.length - 1];
    if (before) before.end = frame;
    spans.push({ phone: label - 1, first: frame, end: labels.length });
  });
  return spans;
}

/** The best alignment of known phones: states 0, 2, ... are blanks, and the phone of 2n + 1 is the n-th. */
function forcedPath(scores: Float32Array, classes: number, phones: number[]): Span[] {
  const frames = scores.length / classes, states = 2 * phones.length + 1;
  const label = (state: number): number => (state % 2 ? phones[(state - 1) / 2]! + 1 : 0);
  const skips = (state: number): boolean => state > 2 && state % 2 === 1 && label(state) !== label(state - 2);
  const moves = new Uint8Array(frames * states);
  const best = new Float64Array(states).fill(-Infinity);
  for (let frame = 0; frame < frames; frame++) {
    for (let state = states - 1; state >= 0; state--) {
      let reached = best[state]!, move = 0;
      if (frame === 0) reached = state < 2 ? 0 : -Infinity;
      else {
        if (skips(state) && best[state - 2]! > reached) [reached, move] = [best[state - 2]!, 2];
        if (state > 0 && best[state - 1]! > reached) [reached, move] = [best[state - 1]!, 1];
      }
      best[state] = reached + scores[frame * classes + label(state)]!;
      moves[frame * states + state] = move;
    }
  }
  let state = states > 1 && best[states - 2]! >= best[states - 1]! ? states - 2 : states - 1;
  const path: number[] = new Array<number>(frames);
  for (let frame = frames - 1; frame >= 0; frame--) {
    path[frame] = label(state);
    state -= moves[frame * states + state]!;
  }
  return collapse(path);
}
