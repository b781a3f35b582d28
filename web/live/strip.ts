// The recording as it is shown: spectrogram, phones and words on one time axis.

const PIXELS_PER_SECOND = [100, 200, 350, 500, 800, 1200];
/** Sizes of a phone's label in pixels, the width of a letter as a share of its size, and the pixels of a score. */
const LABEL = 13, SMALLEST_LABEL = 9, LETTER = 0.72, SCORE_ROOM = 19;
/** Columns of the spectrogram in one canvas. */
const TILE = 1000;
const STEP = 0.005, LARGE_STEP = 0.02;

let scale = innerWidth > 800 ? 350 : 200;
let current: Item | null = null;
let selected = -1;
let changed: (transcript: Transcript) => void = () => undefined;

const dark = matchMedia("(prefers-color-scheme: dark)");

function showItem(item: Item | null): void {
  current = item;
  selected = -1;
  drawStrip();
}

/** Draws all of it again. */
function drawStrip(): void {
  drawSpectrogram();
  drawLabels();
}

function drawSpectrogram(): void {
  const picture = byId("picture");
  picture.replaceChildren();
  if (!current) return;
  const { sound } = current;
  const columns = columnsOf(sound);
  setWidth(secondsOf(sound));
  const black = loudest(levels({ ...sound }, 0, Math.min(columns, 6000)));
  for (let first = 0; first < columns; first += TILE) {
    const end = Math.min(columns, first + TILE);
    const canvas = element("canvas", "", "", { "aria-hidden": "true" });
    drawLevels(canvas, levels(sound, first, end), black, dark.matches);
    canvas.style.width = `${(end - first) * HOP * scale}px`;
    picture.append(canvas);
  }
}

function setWidth(seconds: number): void {
  byId("tiers").style.width = `${Math.max(1, seconds * scale)}px`;
}

function drawLabels(): void {
  const transcript = current?.transcript;
  byId("words").replaceChildren(...(transcript?.words ?? []).map((word) => drawWord(word)));
  const phones = transcript?.phones ?? [];
  const handles = transcript ? boundariesOf(phones).map((boundary) => drawHandle(transcript, boundary)) : [];
  byId("phones").replaceChildren(...phones.map((phone, at) => drawPhone(phone, at)), ...handles);
  byId("words").hidden = !transcript?.words?.length;
  drawComparison();
  showSelected();
}

function drawWord(word: Word): HTMLElement {
  const box = placed(element("button", "word", word.word, { type: "button", tabindex: "-1", title: word.word }), word);
  box.addEventListener("click", () => current && play(current.sound, word.start, word.end));
  return box;
}

function drawPhone(phone: Phone, at: number): HTMLElement {
  const box = placed(element("button", "phone", "", {
    type: "button", tabindex: at === Math.max(0, selected) ? "0" : "-1", "aria-label": describe(phone), title: describe(phone),
  }), phone);
  box.append(symbolOf(phone.phone, phone));
  if (phone.score !== undefined) {
    box.style.setProperty("--score", String(phone.score));
    const score = element("span", "score", phone.score.toFixed(2).replace(/^0/, ""));
    score.classList.toggle("tight", (phone.end - phone.start) * scale < SCORE_ROOM);
    box.append(score);
  }
  box.dataset["at"] = String(at);
  box.addEventListener("click", () => choose(at, true));
  return box;
}

/** A phone's label as large as its time allows; one with too little room is seen when its phone is chosen, under the
    pointer or focused, or the scale is larger. */
function symbolOf(phone: string, { start, end }: { start: number; end: number }): HTMLElement {
  const symbol = element("span", "symbol", phone);
  const size = ((end - start) * scale - 2) / Math.max(1, phone.length) / LETTER;
  if (size < SMALLEST_LABEL) symbol.classList.add("tight");
  else if (size < LABEL) symbol.style.fontSize = `${size}px`;
  return symbol;
}

function describe({ phone, start, end, score }: Phone): string {
  return `${phone}, ${start.toFixed(3)} to ${end.toFixed(3)} s${score === undefined ? "" : `, score ${score.toFixed(2)}`}`;
}

function placed<T extends HTMLElement>(box: T, { start, end }: { start: number; end: number }): T {
  box.style.left = `${start * scale}px`;
  box.style.width = `${Math.max(3, (end - start) * scale)}px`;
  return box;
}

function choose(at: number, heard: boolean): void {
  const phone = current?.transcript?.phones[at];
  if (!current || !phone) return;
  selected = at;
  showSelected();
  const box = phoneBox(at);
  box?.focus({ preventScroll: true });
  box?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (heard) play(current.sound, phone.start, phone.end);
}

function phoneBox(at: number): HTMLElement | null {
  return byId("phones").querySelector<HTMLElement>(`[data-at="${at}"]`);
}

function showSelected(): void {
  const phone = current?.transcript?.phones[selected];
  byId("what").textContent = phone ? describe(phone) : current?.transcript ? hint(current.transcript) : "";
  for (const box of byId("phones").querySelectorAll<HTMLElement>(".phone")) {
    const at = Number(box.dataset["at"]);
    box.classList.toggle("selected", at === selected);
    box.tabIndex = at === Math.max(0, selected) ? 0 : -1;
  }
  for (const handle of byId("phones").querySelectorAll<HTMLElement>(".handle")) {
    const near = [handle.dataset["left"], handle.dataset["right"]].includes(String(selected));
    handle.tabIndex = near && selected >= 0 ? 0 : -1;
  }
}

/** A boundary that is dragged, or moved with the arrow keys. */
function drawHandle(transcript: Transcript, boundary: Boundary): HTMLElement {
  const [left, right] = [transcript.phones[boundary.left], transcript.phones[boundary.right]];
  const name = left && right ? `between ${left.phone} and ${right.phone}` : left ? `end of ${left.phone}` : `start of ${right?.phone}`;
  const handle = element("div", "handle", "", { role: "slider", tabindex: "-1", "aria-label": `Boundary ${name}` });
  handle.dataset["left"] = String(boundary.left);
  handle.dataset["right"] = String(boundary.right);
  placeHandle(handle, transcript, boundary);
  handle.addEventListener("pointerdown", (event) => drag(event, handle, boundary));
  handle.addEventListener("keydown", (event) => {
    const sign = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!sign || !current?.transcript) return;
    event.preventDefault();
    event.stopPropagation();
    const time = timeOf(current.transcript.phones, boundary) + sign * (event.shiftKey ? LARGE_STEP : STEP);
    changed(moved(current.transcript, boundary, time, secondsOf(current.sound)));
    handleOf(boundary)?.focus();
  });
  return handle;
}

function placeHandle(handle: HTMLElement, transcript: Transcript, boundary: Boundary): void {
  const time = timeOf(transcript.phones, boundary);
  const [low, high] = roomOf(transcript.phones, boundary, transcript.duration ?? time);
  handle.style.left = `${time * scale}px`;
  handle.setAttribute("aria-valuemin", low.toFixed(4));
  handle.setAttribute("aria-valuemax", high.toFixed(4));
  handle.setAttribute("aria-valuenow", time.toFixed(4));
  handle.setAttribute("aria-valuetext", `${time.toFixed(3)} seconds`);
}

function handleOf(boundary: Boundary): HTMLElement | null {
  return byId("phones").querySelector(`.handle[data-left="${boundary.left}"][data-right="${boundary.right}"]`);
}

function drag(event: PointerEvent, handle: HTMLElement, boundary: Boundary): void {
  const item = current;
  const before = item?.transcript;
  if (!item || !before || event.button !== 0) return;
  event.preventDefault();
  handle.setPointerCapture(event.pointerId);
  handle.classList.add("dragged");
  const began = timeOf(before.phones, boundary);
  let after = before;
  const follow = (move: PointerEvent): void => {
    after = moved(before, boundary, began + (move.clientX - event.clientX) / scale, secondsOf(item.sound));
    placeHandle(handle, after, boundary);
    for (const at of [boundary.left, boundary.right]) {
      const [box, phone] = [phoneBox(at), after.phones[at]];
      if (box && phone) placed(box, phone);
    }
    byId("what").textContent = `${timeOf(after.phones, boundary).toFixed(3)} s`;
  };
  const done = (): void => {
    handle.removeEventListener("pointermove", follow);
    handle.classList.remove("dragged");
    if (after !== before) changed(after);
  };
  handle.addEventListener("pointermove", follow);
  handle.addEventListener("pointerup", done, { once: true });
  handle.addEventListener("pointercancel", done, { once: true });
}

function rescale(step: 1 | -1): void {
  scale = PIXELS_PER_SECOND[PIXELS_PER_SECOND.indexOf(scale) + step] ?? scale;
  drawStrip();
  if (selected >= 0) phoneBox(selected)?.scrollIntoView({ block: "nearest", inline: "center" });
}

function showPlayhead(seconds: number | null): void {
  const playhead = byId("playhead");
  playhead.hidden = seconds === null;
  if (seconds !== null) playhead.style.transform = `translateX(${seconds * scale}px)`;
}

function hint({ phones }: Transcript): string {
  const scored = phones.some((phone) => phone.score !== undefined);
  return `Click a phone to hear it.${scored ? " The number below it says how sure the model is, from 0 to 1." : ""}`;
}
