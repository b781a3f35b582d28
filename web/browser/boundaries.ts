// How far boundaries are from the reference's, and how sure they are.

/** Milliseconds: boundaries that are further off are marked. */
const TOLERANCE = 20;
const OFF: [string, string][] = [20, 50, 100].map((most) => [String(most), `more than ${most} ms`]);

function hasIntervals(): boolean {
  return run?.intervals ?? false;
}

/** Whether the references have times to compare with. */
function hasLabels(): boolean {
  return utterances.some(({ late }) => late !== undefined);
}

/** How far (ms) the boundaries of a right phone are off at most; 0 where that is not known. */
function mostOff(utterance: Utterance, at: number): number {
  return Math.max(...(utterance.late?.[at] ?? []).map((late) => Math.abs(late ?? 0)), 0);
}

function meanOff(utterance: Utterance): number {
  const [from, to] = placesOf(utterance, 0);
  const known = (utterance.late ?? []).slice(from, to).flatMap((both) => both ?? []).filter((late) => late !== null);
  return known.reduce((sum, late) => sum + Math.abs(late), 0) / Math.max(1, known.length);
}

/** Numbers in the tier of errors where a boundary is off: + late, − early. */
function drawLate(utterance: Utterance, pair: Pair, at: number): HTMLElement[] {
  return (utterance.late?.[at] ?? []).flatMap((late, end) => {
    const time = pair[end ? 5 : 4];
    if (late === null || time === null || Math.abs(late) <= TOLERANCE) return [];
    const label = placed(element("span", "late", signed(late), { title: inWords(late, end) }), time, time);
    label.dataset["at"] = String(at);
    return [label];
  });
}

function signed(late: number): string {
  return `${late < 0 ? "−" : "+"}${Math.abs(late)}`;
}

function inWords(late: number, end: number): string {
  const when = late ? `${Math.abs(late)} ms ${late < 0 ? "early" : "late"}` : "on time";
  return `${end ? "ends" : "begins"} ${when}`;
}

/** What is known of the boundaries of a phone, of the reference (2) or of the hypothesis (4). */
function boundariesInWords(utterance: Utterance, at: number, side: 2 | 4): string[] {
  const late = side === 4 ? utterance.late?.[at] ?? [] : [];
  const intervals = utterance.intervals?.[at]?.slice(side - 2, side) ?? [];
  const between = (interval: Interval, end: number): string[] =>
    interval ? [`${end ? "ends" : "begins"} between ${interval.map((time) => (time / 1000).toFixed(3)).join(" and ")} s`] : [];
  return [
    ...late.flatMap((each, end) => (each === null ? [] : [inWords(each, end)])),
    ...intervals.flatMap((each, end) => between(each, end)),
  ];
}

/** A bar from the earliest to the latest plausible time of each boundary of a side; neighbours are not in one line. */
function drawIntervals(utterance: Utterance, from: number, to: number, side: 2 | 4): HTMLElement[] {
  const bars: HTMLElement[] = [];
  const known = new Set<string>();
  for (let at = from; at < to; at++) {
    for (const interval of utterance.intervals?.[at]?.slice(side - 2, side) ?? []) {
      if (!interval || known.has(String(interval))) continue;
      known.add(String(interval));
      bars.push(placed(element("span", `interval ${bars.length % 2 ? "low" : ""}`, "", { "aria-hidden": "true" }), ...interval));
    }
  }
  return bars;
}
