// Loads the data, then ties what the user does to what the page shows.

function loadScript(source: string): void {
  const script = element("script", "", "", { src: source });
  script.async = false;
  script.onerror = () => say(`${source} is missing; write the report again.`);
  document.head.append(script);
}

/** Called by data/run.js. */
function receiveRun(text: string): void {
  run = JSON.parse(text) as Run;
  run.classOf.forEach(([phone, name]) => classOf.set(phone, name));
  document.title = `Errors of ${run.title}`;
  byId("title").textContent = run.title;
  const pers = run.beside?.pers.map((per, side) => `${SIDE_NAMES[side]} ${per.toFixed(1)}%`);
  byId("per").textContent = `Phone error rate ${pers ? pers.join(", ") : `${run.per.toFixed(1)}%`}, silence counted`;
  if (run.beside) {
    NO_FILTERS.sort = "differ";
    byId("runs").textContent = run.beside.names.map((name, side) => `${SIDE_NAMES[side]}: ${name}`).join(" · ");
  }
  document.body.classList.toggle("with-intervals", hasIntervals());
  loadMarks();
  for (let chunk = 0; chunk < run.chunks; chunk++) loadScript(`data/utterances-${chunk}.js`);
}

/** Called by each data/utterances-N.js. */
function receiveUtterances(text: string): void {
  const first = utterances.length === 0;
  for (const utterance of JSON.parse(text) as Utterance[]) {
    joinPairs(utterance);
    utterances.push(utterance);
  }
  if (utterances.length === run?.utterances) buildControls();
  if (first || utterances.length === run?.utterances) followAddress();
}

function followAddress(): void {
  const wanted = readAddress();
  const utterance = wanted && utterances.find(({ name }) => name === wanted.name);
  selected = utterance ? { utterance, at: utterance.pairs[wanted.at] ? wanted.at : -1 } : null;
  showFilters();
  applyFilters();
  redraw();
  showSummary();
  showPanel();
  if (selected) reveal(selected.utterance, selected.at);
}

function filtersChanged(): void {
  applyFilters();
  scrollTo(0, 0);
  redraw();
  showFilters();
  showSummary();
  writeAddress();
}

function clicked(event: MouseEvent): void {
  const target = event.target as HTMLElement;
  const utterance = shown[Number(target.closest<HTMLElement>(".row")?.dataset["row"])];
  if (!utterance) return;
  const at = target.closest<HTMLElement>("[data-at]")?.dataset["at"];
  const word = utterance.words?.[Number(target.closest<HTMLElement>("[data-word]")?.dataset["word"])];
  if (at !== undefined) choose(utterance, Number(at), true);
  else if (word) play(utterance, word[1] / 1000 - AROUND, word[2] / 1000 + AROUND);
  else if (target.closest(".play")) choose(utterance, -1, true);
  else if (target.closest(".picture")) play(utterance, event.offsetX / scale - AROUND, event.offsetX / scale + AROUND);
}

function pressed(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape" || (event.key === "Enter" && target.matches("input"))) target.blur();
    return;
  }
  const action = KEYS[event.key];
  if (!action || (event.key === " " && target.matches("button:not(.phone), input, summary"))) return;
  event.preventDefault();
  action();
}

function heard(around: number): void {
  if (selected) playPair(selected.utterance, selected.at, around);
}

function hearWhole(): void {
  if (selected) play(selected.utterance, 0, selected.utterance.seconds);
}

function rescale(step: 1 | -1): void {
  scale = PIXELS_PER_SECOND[PIXELS_PER_SECOND.indexOf(scale) + step] ?? scale;
  redraw();
  if (selected) reveal(selected.utterance, selected.at);
}

const KEYS: Record<string, () => void> = {
  n: () => step(1),
  p: () => step(-1),
  " ": () => heard(AROUND),
  x: () => heard(0),
  a: hearWhole,
  m: toggleMark,
  c: () => byId("note").focus(),
  "/": () => byId("filters").querySelector<HTMLInputElement>("[name=text]")?.focus(),
  ArrowLeft: () => move(-1),
  ArrowRight: () => move(1),
  "+": () => rescale(1),
  "-": () => rescale(-1),
  Escape: stop,
};

function start(): void {
  const buttons: [string, () => void][] = [
    ["next", () => step(1)],
    ["previous", () => step(-1)],
    ["hear", () => heard(AROUND)],
    ["exact", () => heard(0)],
    ["whole", hearWhole],
    ["mark", toggleMark],
    ["copy", () => void copyAddress()],
    ["download", downloadMarks],
    ["wider", () => rescale(1)],
    ["narrower", () => rescale(-1)],
  ];
  for (const [id, action] of buttons) byId(id).addEventListener("click", action);
  byId("note").addEventListener("change", (event) => takeNote((event.target as HTMLInputElement).value.trim()));
  byId("rows").addEventListener("click", clicked);
  const form = byId("filters") as HTMLFormElement;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    takeFilter(event.target as HTMLInputElement | HTMLSelectElement);
    filtersChanged();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    filters = { ...NO_FILTERS, sort: filters.sort };
    groupFilters.clear();
    filtersChanged();
  });
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", followAddress);
  addEventListener("resize", drawRows);
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawRows();
    });
  }, { passive: true });
  (byId("side") as HTMLDetailsElement).open = matchMedia("(min-width: 60rem)").matches;
  loadScript("data/run.js");
}

start();
