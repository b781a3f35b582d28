// Spectrograms, computed here so that they are there while one speaks.

/** Seconds between two columns, and of the samples that a column shows: short enough for formants and bursts. */
const HOP = 0.005, WINDOW = 0.016;
/** Rows of pixels, from 0 to HIGHEST Hz. */
const ROWS = 128, HIGHEST = 8000;
/** Decibels from black down to white. */
const RANGE = 55;
const PREEMPHASIS = 0.97;

/** The levels (dB) of columns `first` to `end` - 1: ROWS values each, from low to high frequencies. */
function levels(sound: Sound, first: number, end: number): Float32Array {
  const { samples, rate } = sound;
  const length = Math.round(WINDOW * rate);
  const size = 2 ** Math.ceil(Math.log2(Math.max(length, 2 * ROWS)));
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  const turns = turnsOf(size);
  const shape = new Float64Array(length).map((_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / (length - 1)));
  const values = new Float32Array((end - first) * ROWS);
  for (let column = first; column < end; column++) {
    const start = Math.round(column * HOP * rate) - (length >> 1);
    real.fill(0);
    imaginary.fill(0);
    for (let at = 0; at < length; at++) {
      const [now, before] = [samples[start + at] ?? 0, samples[start + at - 1] ?? 0];
      real[at] = (now - PREEMPHASIS * before) * shape[at]!;
    }
    transform(real, imaginary, turns);
    for (let row = 0; row < ROWS; row++) {
      const bin = Math.min(size / 2, Math.round(((row + 0.5) / ROWS) * HIGHEST / rate * size));
      const power = real[bin]! ** 2 + imaginary[bin]! ** 2;
      values[(column - first) * ROWS + row] = 10 * Math.log10(power + 1e-10);
    }
  }
  return values;
}

/** The cosines and sines of half a turn in size / 2 steps. */
function turnsOf(size: number): [Float64Array, Float64Array] {
  const angles = new Float64Array(size / 2).map((_, step) => (-2 * Math.PI * step) / size);
  return [angles.map(Math.cos), angles.map(Math.sin)];
}

/** The fast Fourier transform, in place (Cooley & Tukey 1965); the length is a power of two. */
function transform(real: Float64Array, imaginary: Float64Array, [cosines, sines]: [Float64Array, Float64Array]): void {
  const size = real.length;
  for (let at = 1, other = 0; at < size; at++) {
    let bit = size >> 1;
    for (; other & bit; bit >>= 1) other ^= bit;
    other ^= bit;
    if (at < other) [real[at], real[other]] = [real[other]!, real[at]!];
  }
  for (let half = 1; half < size; half *= 2) {
    for (let place = 0; place < half; place++) {
      const step = (place * size) / (2 * half);
      const [cosine, sine] = [cosines[step]!, sines[step]!];
      for (let at = place; at < size; at += 2 * half) {
        const to = at + half;
        const turned = real[to]! * cosine - imaginary[to]! * sine;
        const turnedImaginary = real[to]! * sine + imaginary[to]! * cosine;
        real[to] = real[at]! - turned;
        imaginary[to] = imaginary[at]! - turnedImaginary;
        real[at]! += turned;
        imaginary[at]! += turnedImaginary;
      }
    }
  }
}

function columnsOf(sound: Sound): number {
  return Math.max(1, Math.ceil(secondsOf(sound) / HOP));
}

/** The level that is drawn black: a little below the loudest. */
function loudest(values: Float32Array): number {
  const some = values.filter((_, at) => at % Math.max(1, Math.floor(values.length / 50_000)) === 0).sort();
  return some[Math.floor(0.998 * (some.length - 1))] ?? 0;
}

/** Draws columns on a canvas of their number x ROWS pixels: black on white, or white on black where it is `dark`. */
function drawLevels(canvas: HTMLCanvasElement, values: Float32Array, black: number, dark: boolean): void {
  const columns = values.length / ROWS;
  canvas.width = columns;
  canvas.height = ROWS;
  const context = canvas.getContext("2d");
  if (!context || !columns) return;
  const image = context.createImageData(columns, ROWS);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < ROWS; row++) {
      const ink = Math.max(0, Math.min(1, (values[column * ROWS + row]! - black) / RANGE + 1));
      const at = 4 * ((ROWS - 1 - row) * columns + column);
      image.data[at] = image.data[at + 1] = image.data[at + 2] = Math.round(255 * (dark ? ink * 0.9 : 1 - ink));
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}
