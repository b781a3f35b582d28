// The states that a known transcript allows, in order: asr/alignment/graph.py.

/** The classes of an acoustic model: those of HMMs with `states` states a phone, or of CTC, whose blank is 0. */
interface Classes {
  topology: "hmm" | "ctc";
  states: number;
  /** The costs of staying in each class's state and of leaving it; empty for CTC. */
  stay: number[];
  leave: number[];
  /** The log prior of each class. */
  offsets: number[];
}

/** A phone's index, or the sequences of items that may come at one place. */
type Item = number | Item[][];

/** The states from which the next phone may be entered, each with the cost of leaving it. */
type Frontier = Map<number, number>;

const NO_PHONE = -1, START = -1, BLANK = 0;

/** States, numbered so that a path never goes back. */
class AlignmentGraph {
  readonly classes: number[] = [];
  /** The phone of each state, NO_PHONE for a blank. */
  readonly phones: number[] = [];
  /** The occurrence of a phone that each state belongs to, NO_PHONE for a blank; they count up along a path. */
  readonly units: number[] = [];
  /** The item that each state comes from. */
  readonly items: number[] = [];
  /** Whether a path may begin in a state. */
  readonly starts: boolean[] = [];
  /** The cost of staying in each state, and the other states from which it is entered, each with its cost. */
  readonly stay: number[] = [];
  readonly sources: number[][] = [];
  readonly costs: number[][] = [];
  /** The states in which a path may end, and at what cost. */
  readonly finals: Frontier;
  private unit = NO_PHONE;

  constructor(transcript: Item[], private readonly model: Classes) {
    let frontier: Frontier = new Map([[START, 0]]);
    if (model.topology === "ctc") frontier.set(this.add(BLANK, NO_PHONE, 0, frontier, 0), 0);
    transcript.forEach((item, number) => (frontier = this.follow([item], frontier, number)));
    frontier.delete(START);
    this.finals = frontier;
  }

  private follow(items: Item[], frontier: Frontier, number: number): Frontier {
    for (const item of items) {
      if (typeof item === "number") {
        this.unit++;
        frontier = this.model.topology === "ctc" ? this.enterCtc(item, number, frontier) : this.enterHmm(item, number, frontier);
      } else {
        const before = frontier;
        frontier = new Map(item.flatMap((sequence) => [...this.follow(sequence, before, number)]));
      }
    }
    return frontier;
  }

  private enterHmm(phone: number, item: number, before: Frontier): Frontier {
    const { states, stay, leave } = this.model;
    for (let label = phone * states; label < (phone + 1) * states; label++) {
      before = new Map([[this.add(label, phone, item, before, stay[label]!), leave[label]!]]);
    }
    return before;
  }

  /** Blanks may be skipped, except between two equal phones. */
  private enterCtc(phone: number, item: number, before: Frontier): Frontier {
    const apart = new Map([...before].filter(([source]) => source === START || this.phones[source] !== phone));
    const state = this.add(phone + 1, phone, item, apart, 0);
    return new Map([[state, 0], [this.add(BLANK, NO_PHONE, item, new Map([[state, 0]]), 0), 0]]);
  }

  private add(label: number, phone: number, item: number, before: Frontier, stay: number): number {
    const sources = [...before.keys()].filter((source) => source !== START);
    this.phones.push(phone);
    this.units.push(phone === NO_PHONE ? NO_PHONE : this.unit);
    this.items.push(item);
    this.starts.push(before.has(START));
    this.stay.push(stay);
    this.sources.push(sources);
    this.costs.push(sources.map((source) => before.get(source)!));
    return this.classes.push(label) - 1;
  }
}
