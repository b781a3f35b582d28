// The panel at the bottom: what is selected, and what can be done with it.

function say(message: string): void {
  byId("message").textContent = message;
}

function showPanel(): void {
  const pair = selected?.utterance.pairs[selected.at];
  const mark = selected ? markOf(selected.utterance, selected.at) : null;
  byId("what").textContent = selected ? whatIsSelected(selected.utterance, pair) : "Click a phone to hear it.";
  byId("mark").setAttribute("aria-pressed", String(mark?.marked ?? false));
  (byId("note") as HTMLInputElement).value = mark?.note ?? "";
  for (const id of ["mark", "note", "hear", "exact", "whole"]) {
    const silent = run?.audio === "none" && ["hear", "exact", "whole"].includes(id);
    (byId(id) as HTMLButtonElement | HTMLInputElement).disabled = selected === null;
    byId(id).hidden = silent;
  }
  byId("download").textContent = `Download marks (${marks.size})`;
  (byId("download") as HTMLButtonElement).disabled = marks.size === 0;
}

function whatIsSelected(utterance: Utterance, pair: Pair | undefined): string {
  if (!pair) return utterance.name;
  const [start, end] = spanOf(pair);
  const word = wordAt(utterance, (start + end) / 2);
  const where = `${start.toFixed(2)} to ${end.toFixed(2)} s${word ? `, in “${word}”` : ""}`;
  const whose = utterance.other && selected ? `${SIDE_NAMES[sideOf(utterance, selected.at)]}: ` : "";
  const boundaries = boundariesInWords(utterance, selected?.at ?? -1, pair[1] === null ? 2 : 4);
  return `${whose}${[describe(pair), ...boundaries].join(", ")} · ${where} · ${utterance.name}`;
}

function showSummary(): void {
  const errors = shown.reduce((sum, utterance) => sum + targetsOf(utterance).length, 0);
  const found = filtersPairs() && !filters.errors ? "place" : "error";
  const loading = run && utterances.length < run.utterances ? " (loading)" : "";
  const all = shown.length === utterances.length ? "" : ` of ${utterances.length.toLocaleString("en")}`;
  byId("summary").textContent =
    `${shown.length.toLocaleString("en")}${all} utterances, ${errors.toLocaleString("en")} ${found}${errors === 1 ? "" : "s"}${loading}`;
}

/** Selects a pair, or with a place of -1 an utterance; then shows and plays it. */
function choose(utterance: Utterance, at: number, heard: boolean): void {
  const before = selected?.utterance;
  selected = { utterance, at };
  say("");
  if (before && before !== utterance) refreshRow(before);
  refreshRow(utterance);
  reveal(utterance, at);
  showPanel();
  writeAddress();
  if (heard) playPair(utterance, at, at < 0 ? 0 : AROUND);
}

function step(direction: 1 | -1): void {
  const found = neighbour(direction);
  if (found) choose(found.utterance, found.at, true);
  else say(direction > 0 ? "That was the last one." : "That was the first one.");
}

/** Selects the phone next to the selected one, right or wrong. */
function move(direction: 1 | -1): void {
  if (!selected) return;
  const at = selected.at + direction;
  const [from, to] = placesOf(selected.utterance, sideOf(selected.utterance, selected.at));
  if (at >= from && at < to) choose(selected.utterance, at, true);
}

function toggleMark(): void {
  if (!selected) return;
  const mark = markOf(selected.utterance, selected.at);
  setMark(selected.utterance, { ...mark, marked: !mark.marked });
  refreshRow(selected.utterance);
  showPanel();
}

function takeNote(note: string): void {
  if (!selected) return;
  setMark(selected.utterance, { ...markOf(selected.utterance, selected.at), note });
  refreshRow(selected.utterance);
  showPanel();
}

async function copyAddress(): Promise<void> {
  writeAddress();
  try {
    await navigator.clipboard.writeText(location.href);
    say("The address of this view is copied.");
  } catch {
    say("Copy this view's address from the address bar.");
  }
}
