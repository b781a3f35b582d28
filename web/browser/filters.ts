// Which utterances and which of their pairs are shown, in which order; all of it is in the page's address.

interface Filters {
  sort: string;
  ref: string;
  hyp: string;
  phone: string;
  class: string;
  speaker: string;
  text: string;
  shortest: string;
  longest: string;
  errors: string;
  marked: string;
  differ: string;
  off: string;
}

const NO_FILTERS: Filters = {
  sort: "worst", ref: "", hyp: "", phone: "", class: "", speaker: "", text: "",
  shortest: "", longest: "", errors: "", marked: "", differ: "", off: "",
};

const SORTS: [string, string][] = [
  ["worst", "Worst first"],
  ["errors", "Most errors"],
  ["score", "Least sure"],
  ["boundaries", "Boundaries furthest off"],
  ["speaker", "Speaker"],
  ["shortest", "Shortest"],
  ["longest", "Longest"],
  ["name", "Name"],
];

/** Orders of two runs. */
const SORTS_OF_TWO: [string, string][] = [
  ["differ", "Most different first"],
  ["gain", "B better first"],
  ["loss", "A better first"],
];

/** Who is right where two runs differ. */
const DIFFERENCES: [string, string][] = [
  ["any", "where they differ"],
  ["first", "only A is right"],
  ["second", "only B is right"],
  ["neither", "both err, differently"],
];

const GROUP = "group.";

let filters: Filters = { ...NO_FILTERS };
let groupFilters = new Map<string, string>();
let shown: Utterance[] = [];
/** The utterance and the place of the pair that is selected; a place of -1 is the utterance as a whole. */
let selected: { utterance: Utterance; at: number } | null = null;

const targets = new Map<Utterance, number[]>();

function readAddress(): { name: string; at: number } | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  filters = { ...NO_FILTERS };
  groupFilters = new Map();
  for (const [key, value] of parameters) {
    if (Object.keys(NO_FILTERS).includes(key)) filters[key as keyof Filters] = value;
    if (key.startsWith(GROUP)) groupFilters.set(key.slice(GROUP.length), value);
  }
  if (![...SORTS_OF_TWO, ...SORTS].some(([name]) => name === filters.sort)) filters.sort = NO_FILTERS.sort;
  const name = parameters.get("utterance");
  return name === null ? null : { name, at: Number(parameters.get("at") ?? -1) };
}

function address(): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(filters)) {
    if (value !== NO_FILTERS[key as keyof Filters]) parameters.set(key, value);
  }
  for (const [name, value] of groupFilters) parameters.set(GROUP + name, value);
  if (selected) {
    parameters.set("utterance", selected.utterance.name);
    if (selected.at >= 0) parameters.set("at", String(selected.at));
  }
  return `#${parameters}`;
}

function writeAddress(): void {
  history.replaceState(null, "", address());
}

function filtersPairs(): boolean {
  return Boolean(filters.ref || filters.hyp || filters.phone || filters.class || filters.differ || filters.off);
}

/** Each place where two runs differ passes once: an error that only one makes is that one's, others are the first's. */
function differs(place: Place | undefined, side: 0 | 1): boolean {
  switch (filters.differ) {
    case "first": return side === 1 && place === Place.onlyOther;
    case "second": return side === 0 && place === Place.onlyOther;
    case "neither": return side === 0 && place === Place.neither;
    default: return place === Place.onlyOther || (side === 0 && place === Place.neither);
  }
}

function passes(utterance: Utterance, at: number): boolean {
  const [pair, side] = [utterance.pairs[at], sideOf(utterance, at)];
  if (!pair) return false;
  if (filters.off && !(mostOff(utterance, at) > Number(filters.off))) return false;
  if (filters.differ && !differs(pair[7], side)) return false;
  if ((filters.errors || !filtersPairs()) && !kindOf(pair)) return false;
  if (filters.ref && (pair[0] ?? NOTHING) !== filters.ref) return false;
  if (filters.hyp && (pair[1] ?? NOTHING) !== filters.hyp) return false;
  if (filters.phone && pair[0] !== filters.phone && pair[1] !== filters.phone) return false;
  return !filters.class || classOf.get(pair[0] ?? pair[1] ?? "") === filters.class;
}

/** The places of the pairs that the filters are after, in the order of their times: without filters, all errors. */
function targetsOf(utterance: Utterance): number[] {
  let found = targets.get(utterance);
  if (!found) {
    found = utterance.pairs.flatMap((_, place) => (passes(utterance, place) ? [place] : []));
    if (utterance.other) found.sort((one, other) => compareTimes(utterance, one, other));
    targets.set(utterance, found);
  }
  return found;
}

/** The order of two places of an utterance by their times, then by their runs. */
function compareTimes(utterance: Utterance, one: number, other: number): number {
  const [first, second] = [utterance.pairs[one], utterance.pairs[other]];
  return (first && second ? spanOf(first)[0] - spanOf(second)[0] : 0) || one - other;
}

function isShown(utterance: Utterance): boolean {
  if (filters.speaker && utterance.speaker !== filters.speaker) return false;
  for (const [name, value] of groupFilters) if (utterance.groups?.[name] !== value) return false;
  if (filters.shortest && utterance.seconds < Number(filters.shortest)) return false;
  if (filters.longest && utterance.seconds > Number(filters.longest)) return false;
  if (filters.marked && !isMarked(utterance)) return false;
  const text = filters.text.toLowerCase();
  if (text && !`${utterance.name}\n${utterance.text ?? ""}`.toLowerCase().includes(text)) return false;
  return !(filters.errors || filtersPairs()) || targetsOf(utterance).length > 0;
}

function meanScore(utterance: Utterance): number {
  const scores = utterance.pairs.flatMap((pair) => (pair[6] === null ? [] : [pair[6]]));
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
}

function sortKey(utterance: Utterance): number {
  switch (filters.sort) {
    case "worst": return -errorRate(utterance);
    case "errors": return -errorsOf(utterance);
    case "score": return meanScore(utterance);
    case "boundaries": return -meanOff(utterance);
    case "shortest": return utterance.seconds;
    case "longest": return -utterance.seconds;
    case "differ": return -utterance.pairs.filter((pair, at) => differs(pair[7], sideOf(utterance, at))).length;
    case "gain": return errorsOf(utterance, 1) - errorsOf(utterance, 0);
    case "loss": return errorsOf(utterance, 0) - errorsOf(utterance, 1);
    default: return 0;
  }
}

function compareText(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0;
}

function applyFilters(): void {
  targets.clear();
  const keyed = utterances.filter(isShown).map((utterance) => ({ utterance, key: sortKey(utterance) }));
  keyed.sort(
    (first, second) =>
      first.key - second.key ||
      (filters.sort === "speaker" ? compareText(first.utterance.speaker, second.utterance.speaker) : 0) ||
      compareText(first.utterance.name, second.utterance.name),
  );
  shown = keyed.map(({ utterance }) => utterance);
}

/** Whether a place comes after another in the direction of `step`; one that is not a pair's is before or after all. */
function isBeyond(utterance: Utterance, place: number, from: number, step: 1 | -1): boolean {
  const apart = utterance.pairs[from] ? compareTimes(utterance, place, from) : place - from;
  return apart * step > 0;
}

/** The next target after the selected pair, or before it where `step` is -1; null at the end. */
function neighbour(step: 1 | -1): { utterance: Utterance; at: number } | null {
  const current = selected ? shown.indexOf(selected.utterance) : -1;
  const from = selected && selected.at >= 0 ? selected.at : step > 0 ? -1 : Infinity;
  for (let row = Math.max(current, 0); row >= 0 && row < shown.length; row += step) {
    const utterance = shown[row];
    if (!utterance) break;
    const places = targetsOf(utterance).filter((place) => row !== current || isBeyond(utterance, place, from, step));
    const at = step > 0 ? places[0] : places[places.length - 1];
    if (at !== undefined) return { utterance, at };
  }
  return null;
}
