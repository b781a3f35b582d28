// A confidence for each recognised phone: asr/decoding/confidence.py.

/** As asr/serve/web_decoder.py writes it. */
interface Confidences {
  /** The graph of all paths; null where it is that of the search. */
  graph: Graph | null;
  acousticScale: number;
  posteriorScale: number;
  beam: number;
  /** The recalibration: the logistic function of `offset` + `slope` x the logit of a posterior that is at least
   * `certainty` away from 0 and 1. */
  slope: number;
  offset: number;
  certainty: number;
  /** A number for each phone, equal for phones that scoring folds together. */
  groups: number[];
  /** The phone of each class, -1 for a blank. */
  classPhones: number[];
}

/** The confidence of each phone of a path through scores [frames, classes]. */
type Judge = (path: Path, scores: Float32Array) => number[];

function judgeOf(confidences: Confidences, graph: Graph): Judge {
  const { acousticScale, posteriorScale, beam, groups, classPhones } = confidences;
  const posteriors = new GraphPosteriors(graph, classPhones.length, acousticScale, posteriorScale, beam);
  const groupOf = classPhones.map((phone) => (phone < 0 ? -1 : groups[phone]!));
  return ({ phones, classes }, scores) => {
    if (!phones.length) return [];
    const found = posteriors.of(scores);
    return phones.map(({ phone, first, end }) => {
      const group = groups[phone]!;
      let sum = 0, frames = 0;
      for (let frame = first; frame < end; frame++) {
        if (groupOf[classes[frame]!] !== group) continue;
        frames++;
        groupOf.forEach((each, label) => { if (each === group) sum += found[frame * groupOf.length + label]!; });
      }
      return recalibrated(Math.min(1, sum / frames), confidences);
    });
  };
}

function recalibrated(posterior: number, { slope, offset, certainty }: Confidences): number {
  const sure = Math.min(1 - certainty, Math.max(certainty, posterior));
  return 1 / (1 + Math.exp(-(offset + slope * (Math.log(sure) - Math.log1p(-sure)))));
}
