// CTC prefix beam search, as asr/decoding/search/prefix_beam.py and prefix_tree.py do it.

/** What a search for whole phone sequences maximises beside the acoustic score. */
interface Prior { ngram: Ngram; weight: number; penalty: number }

/** The tree of prefixes: without its last symbol, that symbol, longer ones, the n-gram's history, all that the prior has
 * added, and the place in the beam (-1: none). */
class Prefixes {
  readonly parents = [-1];
  readonly symbols = [-1];
  readonly children: Map<number, number>[] = [new Map()];
  readonly histories: number[];
  readonly language = [0];
  readonly slots = [-1];

  constructor(private readonly prior: Prior) { this.histories = [prior.ngram.start]; }

  /** What the prior adds for a symbol after a history. */
  added(history: number, symbol: number): number {
    return this.weighted(this.prior.ngram.logsAfter(history)[symbol]!) - this.prior.penalty;
  }

  /** A prefix's score with what the prior adds for the end. */
  ended(prefix: number): number {
    const { ngram } = this.prior;
    return this.language[prefix]! + this.weighted(ngram.logsAfter(this.histories[prefix]!)[ngram.phones.length]!);
  }

  longer(prefix: number, symbol: number): number {
    const found = this.children[prefix]!.get(symbol);
    if (found !== undefined) return found;
    const history = this.histories[prefix]!;
    this.symbols.push(symbol);
    this.children.push(new Map());
    this.histories.push(this.prior.ngram.following(history)[symbol]!);
    this.language.push(this.language[prefix]! + this.added(history, symbol));
    this.slots.push(-1);
    const added = this.parents.push(prefix) - 1;
    this.children[prefix]!.set(symbol, added);
    return added;
  }

  phonesOf(prefix: number): number[] {
    const phones: number[] = [];
    for (let at = prefix; at > 0; at = this.parents[at]!) phones.push(this.prior.ngram.phones[this.symbols[at]!]!);
    return phones.reverse();
  }

  private weighted(log: number): number { return this.prior.weight ? this.prior.weight * log : 0; }
}

/** The prefixes that are kept, and the logs of the alignments that end in a blank and in the last phone. */
interface Beam { prefixes: number[]; blank: number[]; phone: number[] }

/** The phones that are best over all their alignments to log posteriors [frames, classes]; `beam` prefixes are kept. */
function bestPhones(scores: Float32Array, classes: number, beam: number, prior: Prior): number[] {
  const tree = new Prefixes(prior);
  const columns = prior.ngram.phones.length + 1;
  const phone = new Float64Array(beam * columns);
  let kept: Beam = { prefixes: [0], blank: [0], phone: [-Infinity] };
  for (let first = 0; first < scores.length; first += classes) {
    const blank = extend(kept, tree, prior.ngram.phones, scores.subarray(first, first + classes), phone);
    merge(kept.prefixes, tree, phone, columns);
    kept = keep(kept, tree, blank, phone, columns, beam);
  }
  return bestSequence(kept, tree);
}

/** Fills `phone` with the logs, one frame later, of each prefix as it is (column 0) and with each symbol added, ending in
 * the last phone; returns those of each that ends in a blank. */
function extend(kept: Beam, tree: Prefixes, phones: Int32Array, frame: Float32Array, phone: Float64Array): number[] {
  const columns = phones.length + 1;
  return kept.prefixes.map((prefix, slot) => {
    const [endsBlank, endsPhone] = [kept.blank[slot]!, kept.phone[slot]!];
    const total = logAdd(endsBlank, endsPhone);
    const last = prefix ? phones[tree.symbols[prefix]!]! : -1;
    phone[slot * columns] = prefix ? endsPhone + frame[last + 1]! : -Infinity;
    for (let symbol = 0; symbol < phones.length; symbol++) {
      // Directly after itself a phone is the same one: a second needs a blank between.
      phone[slot * columns + 1 + symbol] = (phones[symbol] === last ? endsBlank : total) + frame[phones[symbol]! + 1]!;
    }
    return total + frame[0]!;
  });
}

/** Where a longer prefix is itself kept, moves what leads to it there from the prefix that it extends. */
function merge(prefixes: number[], tree: Prefixes, phone: Float64Array, columns: number): void {
  prefixes.forEach((prefix, slot) => (tree.slots[prefix] = slot));
  prefixes.forEach((prefix, slot) => {
    for (const [symbol, child] of tree.children[prefix]!) {
      const place = tree.slots[child]!;
      if (place < 0) continue;
      const from = slot * columns + symbol + 1;
      phone[place * columns] = logAdd(phone[place * columns]!, phone[from]!);
      phone[from] = -Infinity;
    }
  });
  for (const prefix of prefixes) tree.slots[prefix] = -1;
}

/** The best `beam` of the prefixes and those that are one symbol longer, in their order. */
function keep(kept: Beam, tree: Prefixes, blank: number[], phone: Float64Array, columns: number, beam: number): Beam {
  const unchanged = kept.prefixes.map((prefix, slot) => tree.language[prefix]! + logAdd(blank[slot]!, phone[slot * columns]!));
  // Where unchanged prefixes fill the beam, what is worse than all of them cannot survive.
  const least = kept.prefixes.length === beam ? Math.min(...unchanged) : -Infinity;
  const scores: number[] = [], places: number[] = [];
  kept.prefixes.forEach((prefix, slot) => {
    for (let column = 0; column < columns; column++) {
      const score = column === 0 ? unchanged[slot]!
        : tree.language[prefix]! + tree.added(tree.histories[prefix]!, column - 1) + phone[slot * columns + column]!;
      if (score < least || score === -Infinity) continue;
      scores.push(score);
      places.push(slot * columns + column);
    }
  });
  const after: Beam = { prefixes: [], blank: [], phone: [] };
  for (const candidate of highest(scores, beam)) {
    const place = places[candidate]!, slot = Math.floor(place / columns), column = place % columns;
    const prefix = kept.prefixes[slot]!;
    after.prefixes.push(column ? tree.longer(prefix, column - 1) : prefix);
    after.blank.push(column ? -Infinity : blank[slot]!);
    after.phone.push(phone[place]!);
  }
  return after;
}

/** The indices of the `count` highest, or of all, in their order; among equal ones the first win. */
function highest(scores: number[], count: number): number[] {
  const threshold = Float64Array.from(scores).sort()[Math.max(0, scores.length - count)]!;
  let equal = count - scores.filter((score) => score > threshold).length;
  const found: number[] = [];
  scores.forEach((score, at) => {
    if (score > threshold || (score === threshold && equal-- > 0)) found.push(at);
  });
  return found;
}

/** Prefixes of other symbols that are the same phones count as one. */
function bestSequence(kept: Beam, tree: Prefixes): number[] {
  const sums = new Map<string, { phones: number[]; score: number }>();
  kept.prefixes.forEach((prefix, slot) => {
    const phones = tree.phonesOf(prefix), name = phones.join();
    const score = logAdd(kept.blank[slot]!, kept.phone[slot]!) + tree.ended(prefix);
    sums.set(name, { phones, score: logAdd(sums.get(name)?.score ?? -Infinity, score) });
  });
  let best = { phones: [] as number[], score: -Infinity };
  for (const each of sums.values()) if (each.score > best.score) best = each;
  return best.phones;
}

/** log(exp(one) + exp(other)) */
function logAdd(one: number, other: number): number {
  if (one === -Infinity || other === -Infinity) return Math.max(one, other);
  return Math.max(one, other) + Math.log1p(Math.exp(-Math.abs(one - other)));
}
