// The states that known phones allow, in order: asr/alignment/graph.py, for HMMs.

/** Hidden Markov models with `states` states a phone; `stay` and `leave` are the costs of each class. */
interface Hmm { states: number; stay: number[]; leave: number[] }

/** One of some phones at one place, which may be left out if it is optional. */
interface Item { phones: number[]; optional: boolean }

/** States, numbered so that a path never goes back. */
class AlignmentGraph {
  readonly classes: number[] = [];
  readonly phones: number[] = [];
  /** The occurrence of a phone that each state belongs to; they count up along a path. */
  readonly units: number[] = [];
  readonly items: number[] = [];
  /** Whether a path may begin in a state. */
  readonly starts: boolean[] = [];
  /** The other states from which each is entered, and at what cost. */
  readonly moves: { source: number; cost: number }[][] = [];
  /** The states in which a path may end, and at what cost. */
  readonly finals: Map<number, number>;
  /** The frames of the shortest path. */
  readonly shortest: number;
  private unit = -1;

  constructor(items: Item[], private readonly hmm: Hmm) {
    let frontier = { starts: true, costs: new Map<number, number>() };
    items.forEach((item, number) => {
      const after = new Map(item.phones.flatMap((phone) => [...this.enter(phone, number, frontier)]));
      if (item.optional) frontier.costs.forEach((cost, state) => after.set(state, cost));
      frontier = { starts: frontier.starts && item.optional, costs: after };
    });
    this.finals = frontier.costs;
    this.shortest = hmm.states * items.filter((item) => !item.optional).length;
  }

  private enter(phone: number, item: number, before: { starts: boolean; costs: Map<number, number> }): Map<number, number> {
    this.unit++;
    let { starts, costs } = before;
    for (let label = phone * this.hmm.states; label < (phone + 1) * this.hmm.states; label++) {
      this.moves.push([...costs].map(([source, cost]) => ({ source, cost })));
      this.starts.push(starts);
      this.phones.push(phone);
      this.units.push(this.unit);
      this.items.push(item);
      costs = new Map([[this.classes.push(label) - 1, this.hmm.leave[label]!]]);
      starts = false;
    }
    return costs;
  }
}

/** The state of each frame on the best path for `scores` [frames, classes]: asr/alignment/viterbi.py. */
function bestStates(graph: AlignmentGraph, hmm: Hmm, scores: Float32Array, classes: number): number[] {
  const frames = scores.length / classes, states = graph.classes.length;
  const back = new Uint8Array(frames * states);
  const best = Float64Array.from(graph.starts, (starts) => (starts ? 0 : -Infinity));
  for (let frame = 0; frame < frames; frame++) {
    for (let state = states - 1; state >= 0; state--) {
      const label = graph.classes[state]!;
      let reached = best[state]! - (frame ? hmm.stay[label]! : 0), number = 0;
      if (frame) {
        graph.moves[state]!.forEach(({ source, cost }, move) => {
          const moved = best[source]! - cost;
          if (moved > reached) [reached, number] = [moved, move + 1];
        });
      }
      best[state] = reached + scores[frame * classes + label]!;
      back[frame * states + state] = number;
    }
  }
  let state = -1, most = -Infinity;
  graph.finals.forEach((cost, final) => {
    if (best[final]! - cost > most) [state, most] = [final, best[final]! - cost];
  });
  const path = new Array<number>(frames);
  for (let frame = frames - 1; frame >= 0; frame--) {
    path[frame] = state;
    const number = back[frame * states + state]!;
    if (number) state = graph.moves[state]![number - 1]!.source;
  }
  return path;
}
