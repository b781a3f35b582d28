// The times of recognised phones, from the second output of a model: asr/alignment/timing.py.

/** The begin and end in seconds of each phone; null where they do not fit. */
function phoneTimes(phones: number[], aligning: Aligning, scored: Scored): [number, number][] | null {
  if (!phones.length) return null;
  const items = withSilences(phones, aligning.silences);
  try {
    const aligned = forceAlign(scored, items, aligning);
    const edges = boundarySeconds(aligned, aligning, scored.duration, () => true)[0]!;
    return aligned.items.flatMap((item, at): [number, number][] =>
      typeof items[item] === "number" ? [[edges[at]!, edges[at + 1]!]] : []);
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

/** The phones, with an optional silence between any two that are none. */
function withSilences(phones: number[], silences: number[]): Item[] {
  const optional = optionalSilence(silences);
  const items: Item[] = [];
  let afterSpeech = true;
  for (const phone of phones) {
    const speech = !silences.includes(phone);
    if (speech && afterSpeech) items.push(...optional);
    items.push(phone);
    afterSpeech = speech;
  }
  return afterSpeech ? [...items, ...optional] : items;
}
