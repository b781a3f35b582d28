// The list of utterances: only the rows near the window are in the page.

/** Rows drawn above and below the window. */
const AHEAD = 2;
const PIXELS_PER_SECOND = [200, 350, 500, 700];
const TIER = 24, INTERVALS = 9;
/** Sizes of a phone's label in pixels, and the width of a letter as a share of its size; a label with less room is seen
    when its phone is selected or under the pointer, or the scale is larger. */
const LABEL = 11, SMALLEST_LABEL = 8, LETTER = 0.62;
/** Pixels that the letter of an error takes. */
const LETTER_ROOM = 10;
/** Pixels that a digit of a boundary's error takes. */
const DIGIT_ROOM = 6.5;

let scale = 350;
const drawn = new Map<number, HTMLLIElement>();
let playhead: HTMLElement | null = null;

function pictureHeight(): number {
  return run && run.audio !== "none" ? run.picture[0] + run.picture[1] : 0;
}

/** Pixels from the top of one row to that of the next; all rows are equally high. */
function rowHeight(): number {
  return 58 + pictureHeight() + tierNames().length * TIER + (hasIntervals() ? phoneTiers() * INTERVALS : 0) + 26;
}

/** Tiers of phones, which have room for intervals where there are some. */
function phoneTiers(): number {
  return run?.beside ? 3 : 2;
}

/** What is written left of the tiers; of two runs, each has its own hypothesis and errors. */
function tierNames(): string[] {
  const words = run?.words ? ["words"] : [];
  return [...words, "ref", ...(run?.beside ? ["hyp A", "errors", "hyp B", "errors"] : ["hyp", "errors"])];
}

function redraw(): void {
  drawn.forEach((row) => row.remove());
  drawn.clear();
  byId("rows").style.height = `${shown.length * rowHeight()}px`;
  drawRows();
}

function drawRows(): void {
  const list = byId("rows");
  const top = -list.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(top / rowHeight()) - AHEAD);
  const last = Math.min(shown.length, Math.ceil((top + innerHeight) / rowHeight()) + AHEAD);
  drawn.forEach((row, place) => {
    if (place >= first && place < last) return;
    row.remove();
    drawn.delete(place);
  });
  for (let place = first; place < last; place++) {
    const utterance = shown[place];
    if (!utterance || drawn.has(place)) continue;
    const row = drawRow(utterance, place);
    drawn.set(place, row);
    const after = [...drawn.keys()].filter((other) => other > place).sort((one, other) => one - other)[0];
    list.insertBefore(row, after === undefined ? null : drawn.get(after) ?? null);
  }
}

function drawRow(utterance: Utterance, place: number): HTMLLIElement {
  const row = element("li", "row", "", { "aria-setsize": String(shown.length), "aria-posinset": String(place + 1) });
  row.style.transform = `translateY(${place * rowHeight()}px)`;
  row.style.height = `${rowHeight()}px`;
  row.dataset["row"] = String(place);
  const names = element("div", "names", "", { "aria-hidden": "true" });
  names.style.paddingTop = `${pictureHeight()}px`;
  for (const name of tierNames()) names.append(element("span", /^(ref|hyp)/.test(name) ? "of-phones" : "", name));
  const strip = element("div", "strip", "", {
    tabindex: "0", role: "group", "aria-label": `Phones of ${utterance.name}`,
  });
  strip.append(drawTiers(utterance));
  const body = element("div", "body");
  body.append(names, strip);
  row.append(drawHeading(utterance), element("p", "text", utterance.text ?? ""), body);
  return row;
}

function drawHeading(utterance: Utterance): HTMLElement {
  const heading = element("div", "heading");
  if (utterance.audio) {
    heading.append(element("button", "play", "▶", { type: "button", "aria-label": `Play ${utterance.name}` }));
  }
  const groups = Object.values(utterance.groups ?? {});
  const facts = [
    ...sides(utterance).map((side) => `${utterance.other ? `${SIDE_NAMES[side]} ` : ""}${errorsInWords(utterance, side)}`),
    `${utterance.counts[3]} phones`,
    `${utterance.seconds.toFixed(2)} s`,
    [utterance.speaker, ...groups].join(", "),
  ];
  heading.append(element("h2", "", utterance.name), element("span", "facts", facts.join(" · ")));
  return heading;
}

function errorsInWords(utterance: Utterance, side: 0 | 1): string {
  const [substituted, deleted, inserted] = (side && utterance.other?.counts) || utterance.counts;
  return `${errorRate(utterance, side).toFixed(1)}%: ${substituted} S, ${deleted} D, ${inserted} I`;
}

function drawTiers(utterance: Utterance): HTMLElement {
  const tiers = element("div", "tiers");
  tiers.style.width = `${utterance.seconds * scale}px`;
  if (utterance.picture) {
    const picture = element("img", "picture", "", {
      src: utterance.picture, alt: `Waveform and spectrogram of ${utterance.name}`, draggable: "false",
    });
    picture.style.height = `${pictureHeight()}px`;
    tiers.append(picture);
  }
  if (run?.words) tiers.append(drawWords(utterance));
  const aimed = new Set(filtersPairs() ? targetsOf(utterance) : []);
  tiers.append(drawReference(utterance, aimed));
  for (const side of sides(utterance)) tiers.append(...drawHypothesis(utterance, side, aimed));
  return tiers;
}

function drawWords(utterance: Utterance): HTMLElement {
  const words = element("div", "tier");
  (utterance.words ?? []).forEach(([word, start, end], number) => {
    const box = placed(element("button", "word", word, { type: "button", tabindex: "-1", title: word }), start, end);
    box.dataset["word"] = String(number);
    words.append(box);
  });
  return words;
}

/** The reference; of two runs without the errors of either, which are below. */
function drawReference(utterance: Utterance, aimed: Set<number>): HTMLElement {
  const tier = element("div", "tier of-phones");
  const [from, to] = placesOf(utterance, 0);
  for (let at = from; at < to; at++) {
    const pair = utterance.pairs[at];
    if (!pair || pair[0] === null) continue;
    const name = ["phone", utterance.other ? "" : kindOf(pair), ...stateOf(utterance, at, utterance.other ? null : aimed)];
    tier.append(drawPhone(utterance, pair, at, 2, name.join(" ")));
  }
  tier.append(...drawIntervals(utterance, from, to, 2));
  return tier;
}

function stateOf(utterance: Utterance, at: number, aimed: Set<number> | null): string[] {
  return [aimed?.has(at) ? "target" : "", isSelected(utterance, at) ? "selected" : ""];
}

/** The hypothesis of a run, and the letters of its errors. */
function drawHypothesis(utterance: Utterance, side: 0 | 1, aimed: Set<number>): [HTMLElement, HTMLElement] {
  const [hypothesis, letters] = [element("div", "tier of-phones"), element("div", "tier")];
  letters.setAttribute("aria-hidden", "true");
  const [from, to] = placesOf(utterance, side);
  let free = 0;
  for (let at = from; at < to; at++) {
    const pair = utterance.pairs[at];
    if (!pair) continue;
    const name = ["phone", kindOf(pair), ...stateOf(utterance, at, aimed)];
    if (pair[1] !== null) hypothesis.append(drawPhone(utterance, pair, at, 4, name.join(" ")));
    for (const label of drawLate(utterance, pair, at)) {
      if (aimed.has(at)) label.classList.add("target");
      free = placeAfter(label, free);
      letters.append(label);
    }
    if (!kindOf(pair)) continue;
    const [start, end] = spanOf(pair);
    const letter = placed(element("span", `letter ${kindOf(pair)}`, kindOf(pair)), 1000 * start, 1000 * end);
    letter.dataset["at"] = String(at);
    if (marks.has(markKey(utterance, at))) letter.textContent += "★";
    if (utterance.other && aimed.has(at)) letter.classList.add("target");
    free = placeAfter(letter, free);
    letters.append(letter);
  }
  hypothesis.append(...drawIntervals(utterance, from, to, 4));
  return [hypothesis, letters];
}

function drawPhone(utterance: Utterance, pair: Pair, at: number, side: 2 | 4, name: string): HTMLElement {
  const phone = pair[side === 2 ? 0 : 1] ?? "";
  const about = [`${side === 2 ? "reference" : "hypothesis"} ${phone}`, describe(pair), ...boundariesInWords(utterance, at, side)];
  const label = about.join(", ");
  const attributes = { type: "button", tabindex: "-1", "aria-label": label, title: label };
  const box = placed(element("button", name, phone, attributes), pair[side] ?? 0, pair[side === 2 ? 3 : 5] ?? 0);
  const room = parseFloat(box.style.width) / phone.length / LETTER;
  if (room < LABEL) box.style.fontSize = room < SMALLEST_LABEL ? "0" : `${room}px`;
  if (side === 4 && pair[6] !== null) box.style.setProperty("--score", String(pair[6]));
  box.dataset["at"] = String(at);
  return box;
}

function placed<T extends HTMLElement>(box: T, start: number, end: number): T {
  box.style.left = `${(start * scale) / 1000}px`;
  box.style.width = `${Math.max(4, ((end - start) * scale) / 1000)}px`;
  return box;
}

/** Keeps a letter to the right of the previous one, which ends at `free` (pixels); returns where it ends itself. */
function placeAfter(letter: HTMLElement, free: number): number {
  const length = letter.textContent?.length ?? 1;
  const needed = letter.matches(".late") ? DIGIT_ROOM * (length + 1) : LETTER_ROOM * length;
  const [left, width] = [parseFloat(letter.style.left), parseFloat(letter.style.width)];
  const middle = Math.max(left + width / 2, free + needed / 2);
  const room = Math.max(width, needed);
  letter.style.left = `${middle - room / 2}px`;
  letter.style.width = `${room}px`;
  return middle + needed / 2;
}

function describe(pair: Pair): string {
  const score = pair[6] === null ? "" : `, score ${pair[6].toFixed(2)}`;
  switch (kindOf(pair)) {
    case "S": return `${pair[0]} recognised as ${pair[1]}${score}`;
    case "D": return `${pair[0]} deleted`;
    case "I": return `${pair[1]} inserted${score}`;
    default: return `${pair[0]} right${score}`;
  }
}

function isSelected(utterance: Utterance, at: number): boolean {
  return selected !== null && selected.utterance === utterance && selected.at === at;
}

/** Draws the row of an utterance again, where it is drawn, without moving its strip. */
function refreshRow(utterance: Utterance): void {
  const row = drawn.get(shown.indexOf(utterance));
  row?.querySelector(".tiers")?.replaceWith(drawTiers(utterance));
}

/** Scrolls to the selected pair and gives its button the focus. */
function reveal(utterance: Utterance, at: number): void {
  const place = shown.indexOf(utterance);
  if (place < 0) return;
  const top = byId("rows").getBoundingClientRect().top + scrollY + place * rowHeight();
  const visible = innerHeight - byId("panel").offsetHeight;
  if (top < scrollY || top + rowHeight() > scrollY + visible) scrollTo(0, top - Math.max(0, (visible - rowHeight()) / 3));
  drawRows();
  const row = drawn.get(place);
  const strip = row?.querySelector<HTMLElement>(".strip");
  const pair = utterance.pairs[at];
  if (!row || !strip || !pair) return;
  const middle = ((spanOf(pair)[0] + spanOf(pair)[1]) / 2) * scale;
  if (middle < strip.scrollLeft + 40 || middle > strip.scrollLeft + strip.clientWidth - 40) {
    strip.scrollLeft = middle - strip.clientWidth / 2;
  }
  row.querySelector<HTMLElement>(".phone.selected")?.focus({ preventScroll: true });
}

function showPlayhead(utterance: Utterance | null, seconds: number): void {
  const tiers = utterance && drawn.get(shown.indexOf(utterance))?.querySelector(".tiers");
  if (!tiers) {
    playhead?.remove();
    return;
  }
  playhead ??= element("div", "playhead");
  if (playhead.parentElement !== tiers) tiers.append(playhead);
  playhead.style.transform = `translateX(${seconds * scale}px)`;
}
