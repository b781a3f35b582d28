// How well a transcript fits its audio: asr/alignment/fit.py.

/** The group of phones of each class, and whether each group is of silences. */
interface FitGroups { classGroups: number[]; quiet: boolean[] }

const LEAST = 1e-4, QUIET = 0.5;

/** The fit, 0 to 1; undefined without speech. */
function fitOf(posteriors: Float32Array, aligned: ForcedAlignment, model: Classes, groups: FitGroups): number | undefined {
  const { classGroups, quiet } = groups, count = classGroups.length;
  const missed = model.topology === "ctc" ? missedFrames(posteriors, count, aligned.classes) : new Set<number>();
  let nats = 0, frames = 0;
  aligned.classes.forEach((label, frame) => {
    const sums = new Array<number>(quiet.length).fill(0);
    classGroups.forEach((group, other) => (sums[group]! += Math.exp(posteriors[frame * count + other]!)));
    const group = classGroups[label]!;
    const silent = sums.reduce((sum, each, at) => (quiet[at] ? sum + each : sum), 0);
    if (quiet[group] && silent >= QUIET) return;
    const entropy = -sums.reduce((sum, each) => sum + each * Math.log(Math.max(each, LEAST)), 0);
    nats += Math.log(missed.has(frame) ? LEAST : Math.max(sums[group]!, LEAST)) + entropy;
    frames++;
  });
  return frames ? Math.exp(Math.min(nats / frames, 0)) : undefined;
}

/** The frames in which a CTC model gives a phone where an alignment has only blanks, which it takes for likely. */
function missedFrames(posteriors: Float32Array, count: number, classes: number[]): Set<number> {
  const missed = new Set<number>();
  const free = bestClasses(posteriors, count);
  let run: number[] = [], found = false;
  [...free, BLANK].forEach((label, frame) => {
    if (label !== BLANK) {
      run.push(frame);
      found ||= classes[frame] !== BLANK;
      return;
    }
    if (!found) for (const each of run) missed.add(each);
    [run, found] = [[], false];
  });
  return missed;
}
