// Corrections: a boundary between phones is moved, and with it the words that begin or end there.

/** Seconds that a phone has at least. */
const SHORTEST = 0.005;
/** Times (s) that are nearer than this are one boundary. */
const TOGETHER = 0.0015;

/** Where the phone `left` ends and the phone `right` begins; -1 for none, where there is a gap. */
interface Boundary { left: number; right: number }

function boundariesOf(phones: Phone[]): Boundary[] {
  const found: Boundary[] = [];
  phones.forEach((phone, at) => {
    const before = phones[at - 1];
    if (before && phone.start - before.end < TOGETHER) {
      found.push({ left: at - 1, right: at });
      return;
    }
    if (before) found.push({ left: at - 1, right: -1 });
    found.push({ left: -1, right: at });
  });
  if (phones.length) found.push({ left: phones.length - 1, right: -1 });
  return found;
}

function timeOf(phones: Phone[], boundary: Boundary): number {
  return (boundary.left >= 0 ? phones[boundary.left]?.end : phones[boundary.right]?.start) ?? 0;
}

/** From when to when (s) a boundary may be moved. */
function roomOf(phones: Phone[], boundary: Boundary, duration: number): [number, number] {
  const [left, right] = [phones[boundary.left], phones[boundary.right]];
  const low = left ? left.start + SHORTEST : phones[boundary.right - 1]?.end ?? 0;
  const high = right ? right.end - SHORTEST : phones[boundary.left + 1]?.start ?? duration;
  return [low, Math.max(low, high)];
}

/** The transcript with a boundary at another time (s). */
function moved(transcript: Transcript, boundary: Boundary, wanted: number, duration: number): Transcript {
  const before = timeOf(transcript.phones, boundary);
  const [low, high] = roomOf(transcript.phones, boundary, duration);
  const time = Math.round(Math.max(low, Math.min(high, wanted)) * 10_000) / 10_000;
  const phones = transcript.phones.map((phone, at) => {
    if (at === boundary.left) return { ...phone, end: time };
    return at === boundary.right ? { ...phone, start: time } : phone;
  });
  const changed: Transcript = { ...transcript, phones };
  if (transcript.words) changed.words = transcript.words.map((word) => withTime(word, before, time));
  if (transcript.intervals && boundary.left >= 0) {
    changed.intervals = transcript.intervals.map((each, at) => (at === boundary.left ? [time, time] : each));
  }
  return changed;
}

function withTime(word: Word, before: number, time: number): Word {
  const start = Math.abs(word.start - before) < TOGETHER ? time : word.start;
  const end = Math.abs(word.end - before) < TOGETHER ? time : word.end;
  return end > start ? { ...word, start, end } : word;
}
