// The best path of log scores through an alignment graph: asr/alignment/viterbi.py.

/** Moves into one state that a byte can tell apart. */
const MOST_MOVES = 255;

/** A transcript that does not fit its audio. */
class Unfit extends Error {}

/** The state of each frame on the best path for `scores` [frames, classes]. Throws Unfit where there is none. */
function bestStates(graph: AlignmentGraph, scores: Float32Array, classes: number): number[] {
  const frames = scores.length / classes, states = graph.classes.length;
  if (graph.sources.some((sources) => sources.length > MOST_MOVES)) {
    throw new Unfit("the words have too many pronunciations to align at once; cut the audio into parts");
  }
  const back = new Uint8Array(frames * states);
  const best = Float64Array.from(graph.starts, (starts) => (starts ? 0 : -Infinity));
  for (let frame = 0; frame < frames; frame++) {
    for (let state = states - 1; state >= 0; state--) {
      let reached = best[state]!, number = 0;
      if (frame) {
        const sources = graph.sources[state]!, costs = graph.costs[state]!;
        reached -= graph.stay[state]!;
        for (let move = 0; move < sources.length; move++) {
          const moved = best[sources[move]!]! - costs[move]!;
          if (moved > reached) [reached, number] = [moved, move + 1];
        }
      }
      best[state] = reached + scores[frame * classes + graph.classes[state]!]!;
      back[frame * states + state] = number;
    }
  }
  let state = -1, most = -Infinity;
  for (const [final, cost] of [...graph.finals].sort(([one], [other]) => one - other)) {
    if (best[final]! - cost > most) [state, most] = [final, best[final]! - cost];
  }
  if (state < 0) throw new Unfit(`${frames} frames are too few for its phones; is this what was said?`);
  const path = new Array<number>(frames);
  for (let frame = frames - 1; frame >= 0; frame--) {
    path[frame] = state;
    const number = back[frame * states + state]!;
    if (number) state = graph.sources[state]![number - 1]!;
  }
  return path;
}
