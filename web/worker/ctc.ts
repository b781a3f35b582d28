// From CTC's frames to phones: asr/decoding/search/greedy.py, collapse.py and forced_path.py.

const CTC: Classes = { topology: "ctc", states: 1, stay: [], leave: [], offsets: [] };

/** The best class of each frame. */
function bestClasses(scores: Float32Array, classes: number): number[] {
  const best: number[] = [];
  for (let first = 0; first < scores.length; first += classes) {
    let label = 0;
    for (let other = 1; other < classes; other++) if (scores[first + other]! > scores[first + label]!) label = other;
    best.push(label);
  }
  return best;
}

function greedy(scores: Float32Array, classes: number): Path {
  return collapsed(bestClasses(scores, classes));
}

/** A run of one class is one phone, blanks are none; a phone lasts until the next begins. */
function collapsed(classes: number[]): Path {
  const phones: Span[] = [];
  classes.forEach((label, frame) => {
    if (label === BLANK || label === (classes[frame - 1] ?? BLANK)) return;
    const before = phones[phones.length - 1];
    if (before) before.end = frame;
    phones.push({ phone: label - 1, first: frame, end: classes.length });
  });
  return { phones, classes };
}

/** The best path of known phones. */
function forcedPath(scores: Float32Array, classes: number, phones: number[]): Path {
  const graph = new AlignmentGraph(phones, CTC);
  return collapsed(bestStates(graph, scores, classes).map((state) => graph.classes[state]!));
}
