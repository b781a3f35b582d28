// The filters as a form.

type Choice = [value: string, label: string];

const FREQUENT = 100;
const BETWEEN = " ";

function buildControls(): void {
  const form = byId("filters");
  form.replaceChildren();
  const phones: Choice[] = (run?.phones ?? []).map((phone) => [phone, phone]);
  const speakers = [...new Set(utterances.map((utterance) => utterance.speaker))].sort(compareText);
  form.append(
    select("sort", "Order", allSorts().filter(([name]) => isKnown(name)), false),
    ...(run?.beside ? [select("differ", "Two runs", DIFFERENCES)] : []),
    checkbox("errors", "Only errors"),
    checkbox("marked", "Only marked"),
    select("frequent", "Frequent errors", frequentErrors()),
    select("ref", "Reference", [[NOTHING, "nothing (insertion)"], ...phones]),
    select("hyp", "Recognised as", [[NOTHING, "nothing (deletion)"], ...phones]),
    select("phone", "Phone, on either side", phones),
    ...(hasLabels() ? [select("off", "Boundary of a right phone off by", OFF)] : []),
    select("class", "Phone class", (run?.classes ?? []).map((name) => [name, name])),
    select("speaker", "Speaker", speakers.map((name) => [name, name])),
    ...groupControls(),
    input("text", "Name or words", "search"),
    input("shortest", "From (s)", "number"),
    input("longest", "To (s)", "number"),
  );
  const reset = element("button", "", "Show all", { type: "reset" });
  form.append(reset);
  byId("scores").hidden = !hasScores();
  byId("late").hidden = !hasLabels();
  byId("sure").hidden = !hasIntervals();
  showFilters();
}

function allSorts(): Choice[] {
  return [...(run?.beside ? SORTS_OF_TWO : []), ...SORTS];
}

/** Whether there is what an order goes by. */
function isKnown(sort: string): boolean {
  return sort === "score" ? hasScores() : sort === "boundaries" ? hasLabels() : true;
}

/** Whether the run was decoded with confidences. */
function hasScores(): boolean {
  return utterances.some(({ pairs }) => pairs.some((pair) => pair[6] !== null));
}

function groupControls(): HTMLElement[] {
  const values = new Map<string, Set<string>>();
  for (const utterance of utterances) {
    for (const [name, value] of Object.entries(utterance.groups ?? {})) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  const useful = [...values].filter(([, found]) => found.size > 1 && found.size < 200);
  return useful.map(([name, found]) => {
    const choices = [...found].sort(compareText).map((value): Choice => [value, value]);
    return select(GROUP + name, name.charAt(0).toUpperCase() + name.slice(1), choices);
  });
}

function frequentErrors(): Choice[] {
  const times = new Map<string, number>();
  for (const { pairs } of utterances) {
    for (const pair of pairs) {
      if (!kindOf(pair)) continue;
      const key = [pair[0] ?? NOTHING, pair[1] ?? NOTHING].join(BETWEEN);
      times.set(key, (times.get(key) ?? 0) + 1);
    }
  }
  const ranked = [...times].sort((one, other) => other[1] - one[1] || compareText(one[0], other[0]));
  return ranked.slice(0, FREQUENT).map(([key, count]) => [key, `${key.replace(BETWEEN, " → ")} (${count})`]);
}

function labelled(label: string, control: HTMLElement, name: string): HTMLLabelElement {
  const wrapper = element("label", "", label);
  control.setAttribute("name", name);
  wrapper.append(control);
  return wrapper;
}

function select(name: string, label: string, choices: Choice[], any = true): HTMLElement {
  const control = element("select");
  for (const [value, text] of any ? [["", "any"] as Choice, ...choices] : choices) {
    control.append(element("option", "", text, { value }));
  }
  return labelled(label, control, name);
}

function input(name: string, label: string, type: string): HTMLElement {
  const more = type === "number" ? { min: "0", step: "0.1" } : {};
  return labelled(label, element("input", "", "", { type, ...more }), name);
}

function checkbox(name: string, label: string): HTMLElement {
  const wrapper = element("label", "check");
  wrapper.append(element("input", "", "", { type: "checkbox", value: "1", name }), label);
  return wrapper;
}

/** Sets the form to the filters. */
function showFilters(): void {
  const form = byId("filters");
  for (const control of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[name]")) {
    const value = filterValue(control.name);
    if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = value !== "";
    else control.value = value;
  }
}

function filterValue(name: string): string {
  if (name.startsWith(GROUP)) return groupFilters.get(name.slice(GROUP.length)) ?? "";
  if (name === "frequent") return filters.ref && filters.hyp ? filters.ref + BETWEEN + filters.hyp : "";
  return filters[name as keyof Filters];
}

/** Takes the value of a changed control into the filters. */
function takeFilter(control: HTMLInputElement | HTMLSelectElement): void {
  const checkable = control instanceof HTMLInputElement && control.type === "checkbox";
  const value = checkable ? (control.checked ? "1" : "") : control.value;
  if (control.name.startsWith(GROUP)) {
    const name = control.name.slice(GROUP.length);
    if (value) groupFilters.set(name, value);
    else groupFilters.delete(name);
  } else if (control.name === "frequent") {
    [filters.ref, filters.hyp] = value ? (value.split(BETWEEN) as [string, string]) : ["", ""];
  } else {
    filters[control.name as keyof Filters] = value;
  }
}
