// The strip as a PNG, for papers and slides: black on white whatever the theme.

const PNG_SCALE = 400, PNG_TIER = 36, PNG_AXIS = 28, MOST_PIXELS = 30_000;

async function pngOf(item: Item): Promise<Blob> {
  const seconds = secondsOf(item.sound);
  const width = Math.min(MOST_PIXELS, Math.max(200, Math.round(seconds * PNG_SCALE)));
  const words = item.transcript?.words ?? [];
  const canvas = element("canvas");
  canvas.width = width;
  canvas.height = 2 * ROWS + PNG_TIER * (words.length ? 2 : 1) + PNG_AXIS;
  const drawing = canvas.getContext("2d");
  if (!drawing) throw new Error("this browser cannot draw the picture");
  drawing.fillStyle = "#fff";
  drawing.fillRect(0, 0, width, canvas.height);
  const values = levels(item.sound, 0, columnsOf(item.sound));
  const black = loudest(values);
  for (let first = 0; first < columnsOf(item.sound); first += TILE) {
    const tile = element("canvas");
    drawLevels(tile, values.subarray(first * ROWS, (first + TILE) * ROWS), black, false);
    const at = (first * HOP * width) / seconds;
    drawing.drawImage(tile, at, 0, (tile.width * HOP * width) / seconds, 2 * ROWS);
  }
  drawing.fillStyle = drawing.strokeStyle = "#000";
  drawing.textAlign = "center";
  const row = (labels: [string, number, number][], top: number): void => {
    for (const [label, start, end] of labels) {
      const [from, to] = [(start * width) / seconds, (end * width) / seconds];
      drawing.strokeRect(from, top, to - from, PNG_TIER);
      drawing.font = "16px sans-serif";
      drawing.fillText(label, (from + to) / 2, top + PNG_TIER * 0.65, Math.max(6, to - from));
    }
  };
  row((item.transcript?.phones ?? []).map(({ phone, start, end }) => [phone, start, end]), 2 * ROWS);
  row(words.map(({ word, start, end }) => [word, start, end]), 2 * ROWS + PNG_TIER);
  drawing.font = "14px sans-serif";
  for (let second = 0; second < seconds; second++) {
    drawing.textAlign = second ? "center" : "left";
    drawing.fillText(`${second} s`, (second * width) / seconds, canvas.height - 8);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png");
  });
}
