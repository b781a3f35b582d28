// The best path through a decoding graph, as asr/decoding/search/token_passing.py finds it.

/** A graph's arcs as asr/serve/web_export.py writes them; costs are negative natural logarithms, null is infinite. */
interface Graph {
  start: number;
  states: number;
  /** Arcs that consume a frame, sorted by target: `first[state]` to `first[state + 1]` - 1 enter a state. */
  first: number[];
  sources: number[];
  labels: number[];
  phones: number[];
  costs: number[];
  /** Arcs that consume none, in topological order. */
  freeSources: number[];
  freeTargets: number[];
  freePhones: number[];
  freeCosts: number[];
  finals: (number | null)[];
}

/** A phone's index and its frames, `first` to `end` - 1. */
interface Span { phone: number; first: number; end: number }

/** The phones of a path in order, and the class of each frame. */
interface Path { phones: Span[]; classes: number[] }

/** Tokens: the previous one (-1: none), and the arc that leads from it; -1 - arc for one that consumes no frame. */
class Tokens {
  readonly parents: number[] = [-1];
  readonly arcs: number[] = [0];

  add(parent: number, arc: number): number {
    this.arcs.push(arc);
    return this.parents.push(parent) - 1;
  }
}

/** The best path for `scale` x `scores` [frames, classes]. */
function bestPath(graph: Graph, scores: Float32Array, classes: number, scale: number, beam: number): Path {
  const frames = scores.length / classes;
  const tokens = new Tokens();
  let costs = new Float64Array(graph.states).fill(Infinity);
  let standing = new Int32Array(graph.states).fill(-1);
  costs[graph.start] = 0;
  standing[graph.start] = 0;
  followFree(graph, Infinity, costs, standing, tokens);
  for (let frame = 0; frame < frames; frame++) {
    const after = new Float64Array(graph.states).fill(Infinity);
    const afterTokens = new Int32Array(graph.states).fill(-1);
    const arrived = new Int32Array(graph.states);
    let least = Infinity;
    for (let state = 0; state < graph.states; state++) {
      let best = Infinity;
      for (let arc = graph.first[state]!; arc < graph.first[state + 1]!; arc++) {
        const total = costs[graph.sources[arc]!]! + graph.costs[arc]! - scale * scores[frame * classes + graph.labels[arc]!]!;
        if (total < best) {
          best = total;
          arrived[state] = arc;
        }
      }
      after[state] = best;
      least = Math.min(least, best);
    }
    const limit = least + beam;
    for (let state = 0; state < graph.states; state++) {
      if (after[state]! > limit) after[state] = Infinity;
      if (after[state] === Infinity) continue;
      const arc = arrived[state]!;
      afterTokens[state] = tokens.add(standing[graph.sources[arc]!]!, arc);
    }
    costs = after;
    standing = afterTokens;
    followFree(graph, limit, costs, standing, tokens);
  }
  return readPath(graph, tokens, bestEnd(graph, costs, standing), frames);
}

function followFree(graph: Graph, limit: number, costs: Float64Array, standing: Int32Array, tokens: Tokens): void {
  for (let arc = 0; arc < graph.freeSources.length; arc++) {
    const [source, target] = [graph.freeSources[arc]!, graph.freeTargets[arc]!];
    const total = costs[source]! + graph.freeCosts[arc]!;
    if (total > limit || total >= costs[target]!) continue;
    costs[target] = total;
    standing[target] = tokens.add(standing[source]!, -1 - arc);
  }
}

/** The token with which the best path ends: in a final state, if one is reached. */
function bestEnd(graph: Graph, costs: Float64Array, standing: Int32Array): number {
  for (const finals of [graph.finals, graph.finals.map(() => 0)]) {
    let [last, best] = [-1, Infinity];
    for (let state = 0; state < graph.states; state++) {
      const total = costs[state]! + (finals[state] ?? Infinity);
      if (total < best) [last, best] = [standing[state]!, total];
    }
    if (best < Infinity) return last;
  }
  return -1;
}

function readPath(graph: Graph, tokens: Tokens, last: number, frames: number): Path {
  const arcs: number[] = [];
  for (let token = last; token > 0; token = tokens.parents[token]!) arcs.push(tokens.arcs[token]!);
  const phones: Span[] = [], classes: number[] = [];
  for (const arc of arcs.reverse()) {
    const phone = arc >= 0 ? graph.phones[arc]! : graph.freePhones[-1 - arc]!;
    if (phone >= 0) {
      const before = phones[phones.length - 1];
      if (before) before.end = classes.length;
      phones.push({ phone, first: classes.length, end: frames });
    }
    if (arc >= 0) classes.push(graph.labels[arc]!);
  }
  return { phones, classes };
}
