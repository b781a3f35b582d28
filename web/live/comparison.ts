// What is recognised, below the alignment with what is said: a tier of phones, a tier of errors, and a list of them.

/** Pixels that the letter of an error takes. */
const LETTER_ROOM = 12;

type Compared = Comparison["pairs"][number];

function kindOf({ reference, hypothesis }: Compared): "" | "S" | "D" | "I" {
  return reference === hypothesis ? "" : reference === null ? "I" : hypothesis === null ? "D" : "S";
}

function drawComparison(): void {
  const comparison = current?.comparison ?? null;
  for (const id of ["recognised", "errors", "comparison"]) byId(id).hidden = comparison === null;
  const pairs = comparison?.pairs ?? [];
  const heard = pairs.filter(({ hypothesis }) => hypothesis !== null);
  byId("recognised").replaceChildren(...heard.map(drawRecognised));
  byId("errors").replaceChildren(...drawLetters(pairs));
  const errors = pairs.filter((pair) => kindOf(pair));
  byId("error-list").replaceChildren(...errors.map(drawError));
  byId("per").textContent = comparison ? inWords(comparison) : "";
}

function inWords({ per, substitutions, deletions, insertions, reference_phones }: Comparison): string {
  const counts = `${substitutions} S, ${deletions} D, ${insertions} I in ${reference_phones} phones, silence not counted`;
  return `Recognised without the text: phone error rate ${per.toFixed(1)}% (${counts})`;
}

function drawRecognised(pair: Compared): HTMLElement {
  const box = placed(element("button", `phone ${kindOf(pair)}`, "", {
    type: "button", tabindex: "-1", "aria-label": `recognised ${describePair(pair)}`, title: describePair(pair),
  }), pair);
  box.append(symbolOf(pair.hypothesis ?? "", pair));
  box.addEventListener("click", () => hearPair(pair));
  return box;
}

function describePair(pair: Compared): string {
  switch (kindOf(pair)) {
    case "S": return `${pair.hypothesis} instead of ${pair.reference}`;
    case "D": return `${pair.reference} is missing`;
    case "I": return `${pair.hypothesis} too much`;
    default: return `${pair.hypothesis}, right`;
  }
}

/** The letters of the errors at their times; each is to the right of the one before. */
function drawLetters(pairs: Compared[]): HTMLElement[] {
  let free = 0;
  return pairs.filter((pair) => kindOf(pair)).map((pair) => {
    const left = Math.max(free, ((pair.start + pair.end) / 2) * scale - LETTER_ROOM / 2);
    const letter = element("span", `letter ${kindOf(pair)}`, kindOf(pair), { title: describePair(pair) });
    letter.style.left = `${left}px`;
    letter.style.width = `${LETTER_ROOM}px`;
    free = left + LETTER_ROOM;
    return letter;
  });
}

function drawError(pair: Compared): HTMLElement {
  const item = element("li");
  const button = element("button", "", `${kindOf(pair)} ${describePair(pair)}, ${pair.start.toFixed(2)} s`, { type: "button" });
  button.addEventListener("click", () => hearPair(pair));
  item.append(button);
  return item;
}

/** Plays the place of a pair with 0.2 s around, and scrolls to it. */
function hearPair(pair: Compared): void {
  if (!current) return;
  const strip = byId("strip");
  strip.scrollLeft = ((pair.start + pair.end) / 2) * scale - strip.clientWidth / 2;
  play(current.sound, Math.max(0, pair.start - 0.2), pair.end + 0.2);
}
