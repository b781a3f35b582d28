// Posteriors of classes over all paths through a decoding graph: asr/decoding/lattice/posteriors.py.

/** Frames whose forward probabilities are in memory at a time. */
const BLOCK = 512;

/** The arcs that consume a frame, sorted by source, with the probabilities of all arcs and of ending. */
interface WeightedArcs {
  first: Int32Array;
  targets: Int32Array;
  labels: Int32Array;
  weights: Float64Array;
  free: Float64Array;
  finals: Float64Array;
}

class GraphPosteriors {
  private readonly arcs: WeightedArcs;
  private readonly likelihoods: Float64Array;

  /** A path weighs exp(-posteriorScale x cost); states below exp(-beam) of the best of their frame are left out. */
  constructor(
    private readonly graph: Graph, private readonly classes: number,
    acousticScale: number, posteriorScale: number, beam: number,
  ) {
    this.scale = posteriorScale * acousticScale;
    this.least = Math.exp(-beam);
    this.arcs = weightedArcs(graph, posteriorScale);
    this.likelihoods = new Float64Array(classes);
  }

  private readonly scale: number;
  private readonly least: number;

  /** The probability [frames, classes] that each frame is of each class, from log scores [frames, classes]. */
  of(scores: Float32Array): Float32Array {
    const frames = scores.length / this.classes, { states } = this.graph;
    const posteriors = new Float32Array(scores.length);
    const forward = Array.from({ length: Math.min(BLOCK, frames) + 1 }, () => new Float64Array(states));
    const starts = this.blockStarts(scores, forward);
    let backward = this.ends(starts[starts.length - 1]!);
    for (let block = starts.length - 2; block >= 0; block--) {
      const begin = BLOCK * block, end = Math.min(BLOCK * (block + 1), frames);
      if (end < frames) { // the last block's are still there
        forward[0]!.set(starts[block]!);
        this.forward(scores, begin, end, forward);
      }
      for (let frame = end - 1; frame >= begin; frame--) {
        backward = this.backward(scores, frame, forward[frame - begin]!, backward, posteriors);
      }
    }
    return posteriors;
  }

  /** The forward probabilities before each block's first frame, and after the last frame of all. */
  private blockStarts(scores: Float32Array, forward: Float64Array[]): Float64Array[] {
    const frames = scores.length / this.classes, start = new Float64Array(this.graph.states);
    start[this.graph.start] = 1;
    this.followFree(start);
    const starts = [start];
    for (let begin = 0; begin < frames; begin += BLOCK) {
      const end = Math.min(begin + BLOCK, frames);
      forward[0]!.set(starts[starts.length - 1]!);
      this.forward(scores, begin, end, forward);
      starts.push(forward[end - begin]!.slice());
    }
    return starts;
  }

  /** The probability of ending from each state; 1 everywhere where no path ends in a final state. */
  private ends(last: Float64Array): Float64Array {
    const ends = this.arcs.finals.slice();
    this.followFreeBack(ends);
    return last.some((probability, state) => probability * ends[state]! > 0) ? ends : ends.fill(1);
  }

  private forward(scores: Float32Array, begin: number, end: number, forward: Float64Array[]): void {
    const { first, targets, labels, weights } = this.arcs;
    for (let frame = begin; frame < end; frame++) {
      this.scaledLikelihoods(scores, frame);
      const before = forward[frame - begin]!, after = forward[frame - begin + 1]!.fill(0);
      for (let state = 0; state < before.length; state++) {
        const probability = before[state]!;
        if (probability === 0) continue;
        for (let arc = first[state]!; arc < first[state + 1]!; arc++) {
          after[targets[arc]!]! += probability * weights[arc]! * this.likelihoods[labels[arc]!]!;
        }
      }
      this.followFree(after);
      let total = 0, most = 0;
      for (const probability of after) {
        total += probability;
        if (probability > most) most = probability;
      }
      if (total === 0) throw new Error("no path keeps a probability above 0 under these scores; check the audio");
      for (let state = 0; state < after.length; state++) {
        after[state] = after[state]! >= most * this.least ? after[state]! / total : 0;
      }
    }
  }

  /** Brings the backward probabilities from after a frame to before it, and fills its posteriors. */
  private backward(
    scores: Float32Array, frame: number, forward: Float64Array, backward: Float64Array, posteriors: Float32Array,
  ): Float64Array {
    const { first, targets, labels, weights } = this.arcs;
    this.scaledLikelihoods(scores, frame);
    const earlier = new Float64Array(backward.length), occupancies = new Float64Array(this.classes);
    for (let state = 0; state < earlier.length; state++) {
      const before = forward[state]!;
      if (before === 0) continue;
      let sum = 0;
      for (let arc = first[state]!; arc < first[state + 1]!; arc++) {
        const label = labels[arc]!;
        const weight = weights[arc]! * this.likelihoods[label]! * backward[targets[arc]!]!;
        sum += weight;
        occupancies[label]! += before * weight;
      }
      earlier[state] = sum;
    }
    this.followFreeBack(earlier);
    let total = 0, most = 0;
    for (const occupancy of occupancies) total += occupancy;
    for (const probability of earlier) if (probability > most) most = probability;
    if (total === 0) throw new Error("no path keeps a probability above 0 under these scores; check the audio");
    for (let label = 0; label < this.classes; label++) posteriors[frame * this.classes + label] = occupancies[label]! / total;
    for (let state = 0; state < earlier.length; state++) earlier[state]! /= most;
    return earlier;
  }

  private followFree(forward: Float64Array): void {
    const { freeSources, freeTargets } = this.graph;
    for (let arc = 0; arc < freeSources.length; arc++) {
      forward[freeTargets[arc]!]! += forward[freeSources[arc]!]! * this.arcs.free[arc]!;
    }
  }

  private followFreeBack(backward: Float64Array): void {
    const { freeSources, freeTargets } = this.graph;
    for (let arc = freeSources.length - 1; arc >= 0; arc--) {
      backward[freeSources[arc]!]! += this.arcs.free[arc]! * backward[freeTargets[arc]!]!;
    }
  }

  /** exp(scale x scores), scaled so that the highest is 1. */
  private scaledLikelihoods(scores: Float32Array, frame: number): void {
    const first = frame * this.classes;
    let most = -Infinity;
    for (let label = 0; label < this.classes; label++) most = Math.max(most, scores[first + label]!);
    for (let label = 0; label < this.classes; label++) {
      this.likelihoods[label] = Math.exp(this.scale * (scores[first + label]! - most));
    }
  }
}

function weightedArcs(graph: Graph, scale: number): WeightedArcs {
  const count = graph.sources.length, first = new Int32Array(graph.states + 1);
  for (const source of graph.sources) first[source + 1]!++;
  for (let state = 0; state < graph.states; state++) first[state + 1]! += first[state]!;
  const next = first.slice();
  const [targets, labels, weights] = [new Int32Array(count), new Int32Array(count), new Float64Array(count)];
  for (let state = 0; state < graph.states; state++) {
    for (let arc = graph.first[state]!; arc < graph.first[state + 1]!; arc++) {
      const place = next[graph.sources[arc]!]!++;
      targets[place] = state;
      labels[place] = graph.labels[arc]!;
      weights[place] = Math.exp(-scale * graph.costs[arc]!);
    }
  }
  const weight = (cost: number | null): number => (cost === null ? 0 : Math.exp(-scale * cost));
  return {
    first, targets, labels, weights,
    free: Float64Array.from(graph.freeCosts, weight), finals: Float64Array.from(graph.finals, weight),
  };
}
