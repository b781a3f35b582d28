// Files of a transcript, the same as asr/formats writes them.

function jsonOf(transcript: Transcript): string {
  return `${JSON.stringify(transcript, null, 1)}\n`;
}

function csvOf(transcript: Transcript): string {
  const known = [transcript.utterance, transcript.audio ?? "", ""].map(safeCell);
  const rows = transcript.phones.map(({ phone, start, end, score }) =>
    [...known, start.toFixed(4), end.toFixed(4), safeCell(phone), score === undefined ? "" : score.toFixed(4)]);
  const table = [["utterance", "audio", "speaker", "start", "end", "phone", "score"], ...rows];
  return table.map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** Spreadsheets run a cell that begins with one of these signs as a formula. */
function safeCell(text: string): string {
  const line = text.replace(/[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g, " ");
  return /^\s*[=+\-@]/.test(line) && !/^([=+\-@]|[-+]?[\d.]+)$/.test(line) ? `'${line}` : line;
}

function quoted(cell: string): string {
  return /[",]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell;
}

function textGridOf(transcript: Transcript): string {
  const end = transcript.duration ?? Math.max(0, ...transcript.phones.map((phone) => phone.end));
  const tiers: string[][] = [];
  if (transcript.words?.length) {
    tiers.push(intervalTier("words", transcript.words.map(({ word, start, end }) => [word, start, end]), end));
  }
  tiers.push(intervalTier("phones", transcript.phones.map(({ phone, start, end }) => [phone, start, end]), end));
  if (transcript.intervals?.length) {
    const points = transcript.intervals.map(([low, high], at): [number, string] =>
      [transcript.phones[at]?.end ?? 0, `${low.toFixed(4)} to ${high.toFixed(4)}`]);
    tiers.push(pointTier("boundaries", points, end));
  }
  const head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", `xmax = ${end} `,
    "tiers? <exists> ", `size = ${tiers.length} `, "item []: "];
  const items = tiers.flatMap((lines, at) => [`    item [${at + 1}]:`, ...lines.map((line) => `        ${line}`)]);
  return `${[...head, ...items].join("\n")}\n`;
}

function intervalTier(name: string, labels: [string, number, number][], end: number): string[] {
  const filled: [string, number, number][] = [];
  let reached = 0;
  for (const [label, start, until] of labels) {
    if (start > reached) filled.push(["", reached, start]);
    filled.push([label, start, until]);
    reached = until;
  }
  if (reached < end) filled.push(["", reached, end]);
  return ['class = "IntervalTier" ', `name = "${name}" `, "xmin = 0 ", `xmax = ${end} `,
    `intervals: size = ${filled.length} `,
    ...filled.flatMap(([label, start, until], at) => [
      `intervals [${at + 1}]:`, `    xmin = ${start} `, `    xmax = ${until} `, `    text = ${praatText(label)} `,
    ])];
}

function pointTier(name: string, points: [number, string][], end: number): string[] {
  return ['class = "TextTier" ', `name = "${name}" `, "xmin = 0 ", `xmax = ${end} `, `points: size = ${points.length} `,
    ...points.flatMap(([time, label], at) => [
      `points [${at + 1}]:`, `    number = ${time} `, `    mark = ${praatText(label)} `,
    ])];
}

function praatText(label: string): string {
  return `"${label.replace(/"/g, '""')}"`;
}

function elanOf(transcript: Transcript): string {
  const tiers: [string, [string, number, number][]][] = [
    ["phones", inMilliseconds(transcript.phones.map(({ phone, start, end }) => [phone, start, end]))],
  ];
  if (transcript.words?.length) {
    tiers.push(["words", inMilliseconds(transcript.words.map(({ word, start, end }) => [word, start, end]))]);
  }
  const times = tiers.flatMap(([, labels]) => labels.flatMap(([, start, end]) => [start, end]));
  const slots = [...new Set(times)].sort((one, other) => one - other);
  const names = new Map(slots.map((time, at) => [time, `ts${at + 1}`]));
  const schema = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd";
  let count = 0;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ANNOTATION_DOCUMENT AUTHOR="asr" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0" ' +
      `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="${schema}">`,
    '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
    ...(transcript.audio ? [mediaOf(transcript.audio)] : []),
    "</HEADER>",
    "<TIME_ORDER>",
    ...slots.map((time) => `<TIME_SLOT TIME_SLOT_ID="${names.get(time)}" TIME_VALUE="${time}"/>`),
    "</TIME_ORDER>",
    ...tiers.flatMap(([tier, labels]) => [
      `<TIER TIER_ID="${tier}" LINGUISTIC_TYPE_REF="label">`,
      ...labels.map(([label, start, end]) =>
        `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++count}" TIME_SLOT_REF1="${names.get(start)}" ` +
        `TIME_SLOT_REF2="${names.get(end)}"><ANNOTATION_VALUE>${xmlText(label)}</ANNOTATION_VALUE>` +
        "</ALIGNABLE_ANNOTATION></ANNOTATION>"),
      "</TIER>",
    ]),
    '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="label" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>',
    "</ANNOTATION_DOCUMENT>",
  ];
  return `${lines.join("\n")}\n`;
}

function mediaOf(audio: string): string {
  const kinds: Record<string, string> = { wav: "audio/x-wav", mp3: "audio/mpeg", mp4: "video/mp4", m4a: "audio/mp4" };
  const kind = kinds[audio.toLowerCase().split(".").pop() ?? ""] ?? "unknown";
  return `<MEDIA_DESCRIPTOR MEDIA_URL="${encodeURIComponent(audio)}" MIME_TYPE="${kind}"/>`;
}

/** None overlaps the one before it, and the shortest has 1 ms, as ELAN requires. */
function inMilliseconds(labels: [string, number, number][]): [string, number, number][] {
  let before = 0;
  return labels.map(([label, start, end]) => {
    const first = Math.max(toEven(start * 1000), before);
    before = Math.max(toEven(end * 1000), first + 1);
    return [label, first, before];
  });
}

/** Halves are rounded to the even number, as Python does. */
function toEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function xmlText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
