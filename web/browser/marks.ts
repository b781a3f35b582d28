// Marks and notes: kept in this browser where it allows that, and downloaded as JSON Lines.

interface Mark {
  utterance: string;
  at: number;
  marked: boolean;
  note: string;
}

const marks = new Map<string, Mark>();

function markKey(utterance: Utterance, at: number): string {
  return JSON.stringify([utterance.name, at]);
}

function markOf(utterance: Utterance, at: number): Mark {
  return marks.get(markKey(utterance, at)) ?? { utterance: utterance.name, at, marked: false, note: "" };
}

function setMark(utterance: Utterance, mark: Mark): void {
  if (mark.marked || mark.note) marks.set(markKey(utterance, mark.at), mark);
  else marks.delete(markKey(utterance, mark.at));
  try {
    localStorage.setItem(storageKey(), JSON.stringify([...marks.values()]));
  } catch {
    // A browser that stores nothing for files: the marks last until the page is closed.
  }
}

function isMarked(utterance: Utterance): boolean {
  return [...marks.values()].some((mark) => mark.utterance === utterance.name);
}

function loadMarks(): void {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey()) ?? "[]");
    if (!Array.isArray(stored)) return;
    for (const mark of stored as Mark[]) marks.set(JSON.stringify([mark.utterance, mark.at]), mark);
  } catch {
    // As above, or what is stored is not from this page.
  }
}

function storageKey(): string {
  return `asr marks ${location.pathname} ${run?.title}`;
}

/** One JSON object a line, in the order of the utterances. */
function marksAsJsonLines(): string {
  const byName = new Map(utterances.map((utterance) => [utterance.name, utterance]));
  const lines = [...marks.values()].map((mark) => {
    const utterance = byName.get(mark.utterance);
    const pair = utterance?.pairs[mark.at];
    const [start, end] = pair ? spanOf(pair) : [0, utterance?.seconds ?? 0];
    return JSON.stringify({
      utterance: mark.utterance,
      speaker: utterance?.speaker,
      ...(utterance?.other ? { run: run?.beside?.names[sideOf(utterance, mark.at)] } : {}),
      ...(pair ? { reference: pair[0], hypothesis: pair[1], score: pair[6] } : {}),
      start,
      end,
      marked: mark.marked,
      note: mark.note,
    });
  });
  return lines.map((line) => `${line}\n`).join("");
}

function downloadMarks(): void {
  const link = element("a", "", "", { download: "marks.jsonl" });
  link.href = URL.createObjectURL(new Blob([marksAsJsonLines()], { type: "application/x-ndjson" }));
  link.click();
  URL.revokeObjectURL(link.href);
}
