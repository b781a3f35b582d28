"use strict";
// Transcripts as the JSON API and asr's JSON Lines have them; times are in seconds.
function secondsOf(sound) {
    return sound.samples.length / sound.rate;
}
function stem(name) {
    return name.replace(/(.)\.[^.]*$/, "$1");
}
// Elements of the page. Text from files is only ever set as text.
function element(tag, name = "", text = "", attributes = {}) {
    const made = document.createElement(tag);
    if (name)
        made.className = name;
    if (text)
        made.textContent = text;
    for (const [key, value] of Object.entries(attributes))
        made.setAttribute(key, value);
    return made;
}
function byId(id) {
    const found = document.getElementById(id);
    if (!found)
        throw new Error(`the page has no #${id}`);
    return found;
}
/** A message for the user; `wrong` where something failed. */
function say(text, wrong = false) {
    const message = byId("message");
    message.textContent = wrong ? `⚠ ${text}` : text;
    message.classList.toggle("wrong", wrong);
}
function messageOf(error) {
    return error instanceof Error ? error.message : String(error);
}
function saveAs(content, name) {
    const address = URL.createObjectURL(content);
    element("a", "", "", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
// Audio files as samples at the model's rate, and samples as WAV files.
/** Decodes what the browser plays. Rejects what it does not. */
async function decode(content, rate) {
    const plain = readWav(content);
    if (plain && plain.rate === rate)
        return plain;
    const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(content.slice(0));
    return { samples: mix(buffer), rate: buffer.sampleRate };
}
/** The mean of the channels. */
function mix(buffer) {
    const mixed = buffer.getChannelData(0).slice();
    for (let channel = 1; channel < buffer.numberOfChannels; channel++) {
        const samples = buffer.getChannelData(channel);
        for (let at = 0; at < mixed.length; at++)
            mixed[at] += samples[at];
    }
    if (buffer.numberOfChannels > 1)
        mixed.forEach((value, at) => (mixed[at] = value / buffer.numberOfChannels));
    return mixed;
}
/** The samples of a mono WAV file of 16 bits, exactly as they are; null for any other file. */
function readWav(content) {
    const view = new DataView(content);
    const tag = (at) => String.fromCharCode(...new Uint8Array(content, at, 4));
    if (content.byteLength < 44 || tag(0) !== "RIFF" || tag(8) !== "WAVE")
        return null;
    let rate = 0;
    for (let at = 12; at + 8 <= content.byteLength;) {
        const [name, size] = [tag(at), view.getUint32(at + 4, true)];
        if (name === "fmt " && at + 24 <= content.byteLength) {
            if (view.getUint16(at + 8, true) !== 1 || view.getUint16(at + 10, true) !== 1)
                return null;
            if (view.getUint16(at + 22, true) !== 16)
                return null;
            rate = view.getUint32(at + 12, true);
        }
        else if (name === "data" && rate) {
            if (at + 8 + size > content.byteLength)
                return null;
            const samples = new Float32Array(size >> 1);
            for (let number = 0; number < samples.length; number++) {
                samples[number] = view.getInt16(at + 8 + 2 * number, true) / 32768;
            }
            return { samples, rate };
        }
        at += 8 + size + (size & 1);
    }
    return null;
}
function joined(pieces) {
    const all = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
    }
    return all;
}
async function resample(sound, rate) {
    if (sound.rate === rate || !sound.samples.length)
        return { samples: sound.samples, rate };
    const context = new OfflineAudioContext(1, Math.ceil((sound.samples.length * rate) / sound.rate), rate);
    const source = context.createBufferSource();
    source.buffer = bufferOf(sound);
    source.connect(context.destination);
    source.start();
    return { samples: (await context.startRendering()).getChannelData(0), rate };
}
function bufferOf(sound) {
    const length = Math.max(1, sound.samples.length);
    const buffer = new AudioBuffer({ length, sampleRate: sound.rate, numberOfChannels: 1 });
    buffer.getChannelData(0).set(sound.samples);
    return buffer;
}
/** 16-bit samples; louder ones than full scale are clipped. */
function to16Bits(samples) {
    const converted = new Int16Array(samples.length);
    samples.forEach((value, at) => (converted[at] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)))));
    return converted;
}
function wavOf(sound) {
    const samples = to16Bits(sound.samples);
    const header = new DataView(new ArrayBuffer(44));
    const tag = (at, text) => {
        for (let letter = 0; letter < text.length; letter++)
            header.setUint8(at + letter, text.charCodeAt(letter));
    };
    tag(0, "RIFF");
    header.setUint32(4, 36 + samples.byteLength, true);
    tag(8, "WAVEfmt ");
    header.setUint32(16, 16, true);
    header.setUint16(20, 1, true);
    header.setUint16(22, 1, true);
    header.setUint32(24, sound.rate, true);
    header.setUint32(28, 2 * sound.rate, true);
    header.setUint16(32, 2, true);
    header.setUint16(34, 16, true);
    tag(36, "data");
    header.setUint32(40, samples.byteLength, true);
    return new Blob([header.buffer, samples], { type: "audio/wav" });
}
// Spectrograms, computed here so that they are there while one speaks.
/** Seconds between two columns, and of the samples that a column shows: short enough for formants and bursts. */
const HOP = 0.005, WINDOW = 0.016;
/** Rows of pixels, from 0 to HIGHEST Hz. */
const ROWS = 128, HIGHEST = 8000;
/** Decibels from black down to white. */
const RANGE = 55;
const PREEMPHASIS = 0.97;
/** The levels (dB) of columns `first` to `end` - 1: ROWS values each, from low to high frequencies. */
function levels(sound, first, end) {
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
            real[at] = (now - PREEMPHASIS * before) * shape[at];
        }
        transform(real, imaginary, turns);
        for (let row = 0; row < ROWS; row++) {
            const bin = Math.min(size / 2, Math.round(((row + 0.5) / ROWS) * HIGHEST / rate * size));
            const power = real[bin] ** 2 + imaginary[bin] ** 2;
            values[(column - first) * ROWS + row] = 10 * Math.log10(power + 1e-10);
        }
    }
    return values;
}
/** The cosines and sines of half a turn in size / 2 steps. */
function turnsOf(size) {
    const angles = new Float64Array(size / 2).map((_, step) => (-2 * Math.PI * step) / size);
    return [angles.map(Math.cos), angles.map(Math.sin)];
}
/** The fast Fourier transform, in place (Cooley & Tukey 1965); the length is a power of two. */
function transform(real, imaginary, [cosines, sines]) {
    const size = real.length;
    for (let at = 1, other = 0; at < size; at++) {
        let bit = size >> 1;
        for (; other & bit; bit >>= 1)
            other ^= bit;
        other ^= bit;
        if (at < other)
            [real[at], real[other]] = [real[other], real[at]];
    }
    for (let half = 1; half < size; half *= 2) {
        for (let place = 0; place < half; place++) {
            const step = (place * size) / (2 * half);
            const [cosine, sine] = [cosines[step], sines[step]];
            for (let at = place; at < size; at += 2 * half) {
                const to = at + half;
                const turned = real[to] * cosine - imaginary[to] * sine;
                const turnedImaginary = real[to] * sine + imaginary[to] * cosine;
                real[to] = real[at] - turned;
                imaginary[to] = imaginary[at] - turnedImaginary;
                real[at] += turned;
                imaginary[at] += turnedImaginary;
            }
        }
    }
}
function columnsOf(sound) {
    return Math.max(1, Math.ceil(secondsOf(sound) / HOP));
}
/** The level that is drawn black: a little below the loudest. */
function loudest(values) {
    const some = values.filter((_, at) => at % Math.max(1, Math.floor(values.length / 50_000)) === 0).sort();
    return some[Math.floor(0.998 * (some.length - 1))] ?? 0;
}
/** Draws columns on a canvas of their number x ROWS pixels: black on white, or white on black where it is `dark`. */
function drawLevels(canvas, values, black, dark) {
    const columns = values.length / ROWS;
    canvas.width = columns;
    canvas.height = ROWS;
    const context = canvas.getContext("2d");
    if (!context || !columns)
        return;
    const image = context.createImageData(columns, ROWS);
    for (let column = 0; column < columns; column++) {
        for (let row = 0; row < ROWS; row++) {
            const ink = Math.max(0, Math.min(1, (values[column * ROWS + row] - black) / RANGE + 1));
            const at = 4 * ((ROWS - 1 - row) * columns + column);
            image.data[at] = image.data[at + 1] = image.data[at + 2] = Math.round(255 * (dark ? ink * 0.9 : 1 - ink));
            image.data[at + 3] = 255;
        }
    }
    context.putImageData(image, 0, 0);
}
// Files of a transcript, the same as asr/formats writes them.
function jsonOf(transcript) {
    return `${JSON.stringify(transcript, null, 1)}\n`;
}
function csvOf(transcript) {
    const known = [transcript.utterance, transcript.audio ?? "", ""].map(safeCell);
    const rows = transcript.phones.map(({ phone, start, end, score }) => [...known, start.toFixed(4), end.toFixed(4), safeCell(phone), score === undefined ? "" : score.toFixed(4)]);
    const table = [["utterance", "audio", "speaker", "start", "end", "phone", "score"], ...rows];
    return table.map((row) => `${row.map(quoted).join(",")}\n`).join("");
}
/** Spreadsheets run a cell that begins with one of these signs as a formula. */
function safeCell(text) {
    const line = text.replace(/[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g, " ");
    return /^\s*[=+\-@]/.test(line) && !/^([=+\-@]|[-+]?[\d.]+)$/.test(line) ? `'${line}` : line;
}
function quoted(cell) {
    return /[",]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell;
}
function textGridOf(transcript) {
    const end = transcript.duration ?? Math.max(0, ...transcript.phones.map((phone) => phone.end));
    const tiers = [];
    if (transcript.words?.length) {
        tiers.push(intervalTier("words", transcript.words.map(({ word, start, end }) => [word, start, end]), end));
    }
    tiers.push(intervalTier("phones", transcript.phones.map(({ phone, start, end }) => [phone, start, end]), end));
    if (transcript.intervals?.length) {
        const points = transcript.intervals.map(([low, high], at) => [transcript.phones[at]?.end ?? 0, `${low.toFixed(4)} to ${high.toFixed(4)}`]);
        tiers.push(pointTier("boundaries", points, end));
    }
    const head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", `xmax = ${end} `,
        "tiers? <exists> ", `size = ${tiers.length} `, "item []: "];
    const items = tiers.flatMap((lines, at) => [`    item [${at + 1}]:`, ...lines.map((line) => `        ${line}`)]);
    return `${[...head, ...items].join("\n")}\n`;
}
function intervalTier(name, labels, end) {
    const filled = [];
    let reached = 0;
    for (const [label, start, until] of labels) {
        if (start > reached)
            filled.push(["", reached, start]);
        filled.push([label, start, until]);
        reached = until;
    }
    if (reached < end)
        filled.push(["", reached, end]);
    return ['class = "IntervalTier" ', `name = "${name}" `, "xmin = 0 ", `xmax = ${end} `,
        `intervals: size = ${filled.length} `,
        ...filled.flatMap(([label, start, until], at) => [
            `intervals [${at + 1}]:`, `    xmin = ${start} `, `    xmax = ${until} `, `    text = ${praatText(label)} `,
        ])];
}
function pointTier(name, points, end) {
    return ['class = "TextTier" ', `name = "${name}" `, "xmin = 0 ", `xmax = ${end} `, `points: size = ${points.length} `,
        ...points.flatMap(([time, label], at) => [
            `points [${at + 1}]:`, `    number = ${time} `, `    mark = ${praatText(label)} `,
        ])];
}
function praatText(label) {
    return `"${label.replace(/"/g, '""')}"`;
}
function elanOf(transcript) {
    const tiers = [
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
            ...labels.map(([label, start, end]) => `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++count}" TIME_SLOT_REF1="${names.get(start)}" ` +
                `TIME_SLOT_REF2="${names.get(end)}"><ANNOTATION_VALUE>${xmlText(label)}</ANNOTATION_VALUE>` +
                "</ALIGNABLE_ANNOTATION></ANNOTATION>"),
            "</TIER>",
        ]),
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="label" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>',
        "</ANNOTATION_DOCUMENT>",
    ];
    return `${lines.join("\n")}\n`;
}
function mediaOf(audio) {
    const kinds = { wav: "audio/x-wav", mp3: "audio/mpeg", mp4: "video/mp4", m4a: "audio/mp4" };
    const kind = kinds[audio.toLowerCase().split(".").pop() ?? ""] ?? "unknown";
    return `<MEDIA_DESCRIPTOR MEDIA_URL="${encodeURIComponent(audio)}" MIME_TYPE="${kind}"/>`;
}
/** None overlaps the one before it, and the shortest has 1 ms, as ELAN requires. */
function inMilliseconds(labels) {
    let before = 0;
    return labels.map(([label, start, end]) => {
        const first = Math.max(toEven(start * 1000), before);
        before = Math.max(toEven(end * 1000), first + 1);
        return [label, first, before];
    });
}
/** Halves are rounded to the even number, as Python does. */
function toEven(value) {
    const rounded = Math.round(value);
    return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
function xmlText(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
// Corrections: a boundary between phones is moved, and with it the words that begin or end there.
/** Seconds that a phone has at least. */
const SHORTEST = 0.005;
/** Times (s) that are nearer than this are one boundary. */
const TOGETHER = 0.0015;
function boundariesOf(phones) {
    const found = [];
    phones.forEach((phone, at) => {
        const before = phones[at - 1];
        if (before && phone.start - before.end < TOGETHER) {
            found.push({ left: at - 1, right: at });
            return;
        }
        if (before)
            found.push({ left: at - 1, right: -1 });
        found.push({ left: -1, right: at });
    });
    if (phones.length)
        found.push({ left: phones.length - 1, right: -1 });
    return found;
}
function timeOf(phones, boundary) {
    return (boundary.left >= 0 ? phones[boundary.left]?.end : phones[boundary.right]?.start) ?? 0;
}
/** From when to when (s) a boundary may be moved. */
function roomOf(phones, boundary, duration) {
    const [left, right] = [phones[boundary.left], phones[boundary.right]];
    const low = left ? left.start + SHORTEST : phones[boundary.right - 1]?.end ?? 0;
    const high = right ? right.end - SHORTEST : phones[boundary.left + 1]?.start ?? duration;
    return [low, Math.max(low, high)];
}
/** The transcript with a boundary at another time (s). */
function moved(transcript, boundary, wanted, duration) {
    const before = timeOf(transcript.phones, boundary);
    const [low, high] = roomOf(transcript.phones, boundary, duration);
    const time = Math.round(Math.max(low, Math.min(high, wanted)) * 10_000) / 10_000;
    const phones = transcript.phones.map((phone, at) => {
        if (at === boundary.left)
            return { ...phone, end: time };
        return at === boundary.right ? { ...phone, start: time } : phone;
    });
    const changed = { ...transcript, phones };
    if (transcript.words)
        changed.words = transcript.words.map((word) => withTime(word, before, time));
    if (transcript.intervals && boundary.left >= 0) {
        changed.intervals = transcript.intervals.map((each, at) => (at === boundary.left ? [time, time] : each));
    }
    return changed;
}
function withTime(word, before, time) {
    const start = Math.abs(word.start - before) < TOGETHER ? time : word.start;
    const end = Math.abs(word.end - before) < TOGETHER ? time : word.end;
    return end > start ? { ...word, start, end } : word;
}
// What is recognised, below the alignment with what is said: a tier of phones, a tier of errors, and a list of them.
/** Pixels that the letter of an error takes. */
const LETTER_ROOM = 12;
function kindOf({ reference, hypothesis }) {
    return reference === hypothesis ? "" : reference === null ? "I" : hypothesis === null ? "D" : "S";
}
function drawComparison() {
    const comparison = current?.comparison ?? null;
    for (const id of ["recognised", "errors", "comparison"])
        byId(id).hidden = comparison === null;
    const pairs = comparison?.pairs ?? [];
    const heard = pairs.filter(({ hypothesis }) => hypothesis !== null);
    byId("recognised").replaceChildren(...heard.map(drawRecognised));
    byId("errors").replaceChildren(...drawLetters(pairs));
    const errors = pairs.filter((pair) => kindOf(pair));
    byId("error-list").replaceChildren(...errors.map(drawError));
    byId("per").textContent = comparison ? inWords(comparison) : "";
}
function inWords({ per, substitutions, deletions, insertions, reference_phones }) {
    const counts = `${substitutions} S, ${deletions} D, ${insertions} I in ${reference_phones} phones, silence not counted`;
    return `Recognised without the text: phone error rate ${per.toFixed(1)}% (${counts})`;
}
function drawRecognised(pair) {
    const box = placed(element("button", `phone ${kindOf(pair)}`, "", {
        type: "button", tabindex: "-1", "aria-label": `recognised ${describePair(pair)}`, title: describePair(pair),
    }), pair);
    box.append(symbolOf(pair.hypothesis ?? "", pair));
    box.addEventListener("click", () => hearPair(pair));
    return box;
}
function describePair(pair) {
    switch (kindOf(pair)) {
        case "S": return `${pair.hypothesis} instead of ${pair.reference}`;
        case "D": return `${pair.reference} is missing`;
        case "I": return `${pair.hypothesis} too much`;
        default: return `${pair.hypothesis}, right`;
    }
}
/** The letters of the errors at their times; each is to the right of the one before. */
function drawLetters(pairs) {
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
function drawError(pair) {
    const item = element("li");
    const button = element("button", "", `${kindOf(pair)} ${describePair(pair)}, ${pair.start.toFixed(2)} s`, { type: "button" });
    button.addEventListener("click", () => hearPair(pair));
    item.append(button);
    return item;
}
/** Plays the place of a pair with 0.2 s around, and scrolls to it. */
function hearPair(pair) {
    if (!current)
        return;
    const strip = byId("strip");
    strip.scrollLeft = ((pair.start + pair.end) / 2) * scale - strip.clientWidth / 2;
    play(current.sound, Math.max(0, pair.start - 0.2), pair.end + 0.2);
}
// The recording as it is shown: spectrogram, phones and words on one time axis.
const PIXELS_PER_SECOND = [100, 200, 350, 500, 800, 1200];
/** Sizes of a phone's label in pixels, the width of a letter as a share of its size, and the pixels of a score. */
const LABEL = 13, SMALLEST_LABEL = 9, LETTER = 0.72, SCORE_ROOM = 19;
/** Columns of the spectrogram in one canvas. */
const TILE = 1000;
const STEP = 0.005, LARGE_STEP = 0.02;
let scale = innerWidth > 800 ? 350 : 200;
let current = null;
let selected = -1;
let changed = () => undefined;
const dark = matchMedia("(prefers-color-scheme: dark)");
function showItem(item) {
    current = item;
    selected = -1;
    drawStrip();
}
/** Draws all of it again. */
function drawStrip() {
    drawSpectrogram();
    drawLabels();
}
function drawSpectrogram() {
    const picture = byId("picture");
    picture.replaceChildren();
    if (!current)
        return;
    const { sound } = current;
    const columns = columnsOf(sound);
    setWidth(secondsOf(sound));
    const black = loudest(levels({ ...sound }, 0, Math.min(columns, 6000)));
    for (let first = 0; first < columns; first += TILE) {
        const end = Math.min(columns, first + TILE);
        const canvas = element("canvas", "", "", { "aria-hidden": "true" });
        drawLevels(canvas, levels(sound, first, end), black, dark.matches);
        canvas.style.width = `${(end - first) * HOP * scale}px`;
        picture.append(canvas);
    }
}
function setWidth(seconds) {
    byId("tiers").style.width = `${Math.max(1, seconds * scale)}px`;
}
function drawLabels() {
    const transcript = current?.transcript;
    byId("words").replaceChildren(...(transcript?.words ?? []).map((word) => drawWord(word)));
    const phones = transcript?.phones ?? [];
    const handles = transcript ? boundariesOf(phones).map((boundary) => drawHandle(transcript, boundary)) : [];
    byId("phones").replaceChildren(...phones.map((phone, at) => drawPhone(phone, at)), ...handles);
    byId("words").hidden = !transcript?.words?.length;
    drawComparison();
    showSelected();
}
function drawWord(word) {
    const box = placed(element("button", "word", word.word, { type: "button", tabindex: "-1", title: word.word }), word);
    box.addEventListener("click", () => current && play(current.sound, word.start, word.end));
    return box;
}
function drawPhone(phone, at) {
    const box = placed(element("button", "phone", "", {
        type: "button", tabindex: at === Math.max(0, selected) ? "0" : "-1", "aria-label": describe(phone), title: describe(phone),
    }), phone);
    box.append(symbolOf(phone.phone, phone));
    if (phone.score !== undefined) {
        box.style.setProperty("--score", String(phone.score));
        const score = element("span", "score", phone.score.toFixed(2).replace(/^0/, ""));
        score.classList.toggle("tight", (phone.end - phone.start) * scale < SCORE_ROOM);
        box.append(score);
    }
    box.dataset["at"] = String(at);
    box.addEventListener("click", () => choose(at, true));
    return box;
}
/** A phone's label as large as its time allows; one with too little room is seen when its phone is chosen, under the
    pointer or focused, or the scale is larger. */
function symbolOf(phone, { start, end }) {
    const symbol = element("span", "symbol", phone);
    const size = ((end - start) * scale - 2) / Math.max(1, phone.length) / LETTER;
    if (size < SMALLEST_LABEL)
        symbol.classList.add("tight");
    else if (size < LABEL)
        symbol.style.fontSize = `${size}px`;
    return symbol;
}
function describe({ phone, start, end, score }) {
    return `${phone}, ${start.toFixed(3)} to ${end.toFixed(3)} s${score === undefined ? "" : `, score ${score.toFixed(2)}`}`;
}
function placed(box, { start, end }) {
    box.style.left = `${start * scale}px`;
    box.style.width = `${Math.max(3, (end - start) * scale)}px`;
    return box;
}
function choose(at, heard) {
    const phone = current?.transcript?.phones[at];
    if (!current || !phone)
        return;
    selected = at;
    showSelected();
    const box = phoneBox(at);
    box?.focus({ preventScroll: true });
    box?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (heard)
        play(current.sound, phone.start, phone.end);
}
function phoneBox(at) {
    return byId("phones").querySelector(`[data-at="${at}"]`);
}
function showSelected() {
    const phone = current?.transcript?.phones[selected];
    byId("what").textContent = phone ? describe(phone) : current?.transcript ? hint(current.transcript) : "";
    for (const box of byId("phones").querySelectorAll(".phone")) {
        const at = Number(box.dataset["at"]);
        box.classList.toggle("selected", at === selected);
        box.tabIndex = at === Math.max(0, selected) ? 0 : -1;
    }
    for (const handle of byId("phones").querySelectorAll(".handle")) {
        const near = [handle.dataset["left"], handle.dataset["right"]].includes(String(selected));
        handle.tabIndex = near && selected >= 0 ? 0 : -1;
    }
}
/** A boundary that is dragged, or moved with the arrow keys. */
function drawHandle(transcript, boundary) {
    const [left, right] = [transcript.phones[boundary.left], transcript.phones[boundary.right]];
    const name = left && right ? `between ${left.phone} and ${right.phone}` : left ? `end of ${left.phone}` : `start of ${right?.phone}`;
    const handle = element("div", "handle", "", { role: "slider", tabindex: "-1", "aria-label": `Boundary ${name}` });
    handle.dataset["left"] = String(boundary.left);
    handle.dataset["right"] = String(boundary.right);
    placeHandle(handle, transcript, boundary);
    handle.addEventListener("pointerdown", (event) => drag(event, handle, boundary));
    handle.addEventListener("keydown", (event) => {
        const sign = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
        if (!sign || !current?.transcript)
            return;
        event.preventDefault();
        event.stopPropagation();
        const time = timeOf(current.transcript.phones, boundary) + sign * (event.shiftKey ? LARGE_STEP : STEP);
        changed(moved(current.transcript, boundary, time, secondsOf(current.sound)));
        handleOf(boundary)?.focus();
    });
    return handle;
}
function placeHandle(handle, transcript, boundary) {
    const time = timeOf(transcript.phones, boundary);
    const [low, high] = roomOf(transcript.phones, boundary, transcript.duration ?? time);
    handle.style.left = `${time * scale}px`;
    handle.setAttribute("aria-valuemin", low.toFixed(4));
    handle.setAttribute("aria-valuemax", high.toFixed(4));
    handle.setAttribute("aria-valuenow", time.toFixed(4));
    handle.setAttribute("aria-valuetext", `${time.toFixed(3)} seconds`);
}
function handleOf(boundary) {
    return byId("phones").querySelector(`.handle[data-left="${boundary.left}"][data-right="${boundary.right}"]`);
}
function drag(event, handle, boundary) {
    const item = current;
    const before = item?.transcript;
    if (!item || !before || event.button !== 0)
        return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    handle.classList.add("dragged");
    const began = timeOf(before.phones, boundary);
    let after = before;
    const follow = (move) => {
        after = moved(before, boundary, began + (move.clientX - event.clientX) / scale, secondsOf(item.sound));
        placeHandle(handle, after, boundary);
        for (const at of [boundary.left, boundary.right]) {
            const [box, phone] = [phoneBox(at), after.phones[at]];
            if (box && phone)
                placed(box, phone);
        }
        byId("what").textContent = `${timeOf(after.phones, boundary).toFixed(3)} s`;
    };
    const done = () => {
        handle.removeEventListener("pointermove", follow);
        handle.classList.remove("dragged");
        if (after !== before)
            changed(after);
    };
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("pointerup", done, { once: true });
    handle.addEventListener("pointercancel", done, { once: true });
}
function rescale(step) {
    scale = PIXELS_PER_SECOND[PIXELS_PER_SECOND.indexOf(scale) + step] ?? scale;
    drawStrip();
    if (selected >= 0)
        phoneBox(selected)?.scrollIntoView({ block: "nearest", inline: "center" });
}
function showPlayhead(seconds) {
    const playhead = byId("playhead");
    playhead.hidden = seconds === null;
    if (seconds !== null)
        playhead.style.transform = `translateX(${seconds * scale}px)`;
}
function hint({ phones }) {
    const scored = phones.some((phone) => phone.score !== undefined);
    return `Click a phone to hear it.${scored ? " The number below it says how sure the model is, from 0 to 1." : ""}`;
}
// Plays a part of the recording that is shown.
let context = null;
let source = null;
/** From where to where (s) it plays, and the time of the context when it began. */
let playing = null;
function play(sound, from = 0, to = secondsOf(sound)) {
    stop();
    context ??= new AudioContext();
    void context.resume();
    const node = context.createBufferSource();
    node.buffer = bufferOf(sound);
    node.connect(context.destination);
    const start = Math.max(0, from);
    playing = { from: start, to: Math.min(to, secondsOf(sound)), began: context.currentTime };
    node.onended = () => {
        if (source === node)
            stop();
    };
    source = node;
    node.start(0, start, playing.to - start);
    showPlaying();
}
function stop() {
    source?.stop();
    source = null;
    playing = null;
    showPlayhead(null);
    byId("play").textContent = "▶ Play";
}
function showPlaying() {
    if (!playing || !context)
        return;
    byId("play").textContent = "■ Stop";
    showPlayhead(Math.min(playing.to, playing.from + context.currentTime - playing.began));
    requestAnimationFrame(showPlaying);
}
// The strip while one speaks: columns are added as the sound comes, and phones as they are found.
/** Columns that are drawn together: 0.2 s. */
const LIVE_COLUMNS = 40;
class LiveStrip {
    constructor(rate) {
        this.rate = rate;
        this.pieces = [];
        this.length = 0;
        this.drawn = 0;
        this.black = -40;
        byId("picture").replaceChildren();
        byId("words").replaceChildren();
        byId("phones").replaceChildren();
        byId("words").hidden = true;
        drawComparison();
    }
    get sound() { return { samples: joined(this.pieces), rate: this.rate }; }
    add(samples) {
        this.pieces.push(samples);
        this.length += samples.length;
        const end = Math.floor(this.length / this.rate / HOP) - 2;
        if (end - this.drawn < LIVE_COLUMNS)
            return;
        const values = levels(this.recent(), this.drawn - this.firstColumn(), end - this.firstColumn());
        this.black = Math.max(this.black, loudest(values));
        const canvas = element("canvas", "", "", { "aria-hidden": "true" });
        drawLevels(canvas, values, this.black, dark.matches);
        canvas.style.width = `${(end - this.drawn) * HOP * scale}px`;
        byId("picture").append(canvas);
        this.drawn = end;
        setWidth(this.length / this.rate);
        byId("strip").scrollLeft = byId("strip").scrollWidth;
    }
    show(phones) {
        byId("phones").replaceChildren(...phones.map((phone) => {
            const box = placed(element("span", "phone", "", { title: phone.phone }), phone);
            box.append(symbolOf(phone.phone, phone));
            return box;
        }));
    }
    /** The column at which `recent` begins. */
    firstColumn() {
        return Math.max(0, this.drawn - Math.round(0.1 / HOP));
    }
    /** The end of the sound, which new columns are computed from. */
    recent() {
        const first = Math.round(this.firstColumn() * HOP * this.rate);
        let at = this.length;
        let number = this.pieces.length;
        while (number > 0 && at > first)
            at -= this.pieces[--number].length;
        return { samples: joined(this.pieces.slice(number)).subarray(Math.max(0, first - at)), rate: this.rate };
    }
}
// The strip as a PNG, for papers and slides: black on white whatever the theme.
const PNG_SCALE = 400, PNG_TIER = 36, PNG_AXIS = 28, MOST_PIXELS = 30_000;
async function pngOf(item) {
    const seconds = secondsOf(item.sound);
    const width = Math.min(MOST_PIXELS, Math.max(200, Math.round(seconds * PNG_SCALE)));
    const words = item.transcript?.words ?? [];
    const canvas = element("canvas");
    canvas.width = width;
    canvas.height = 2 * ROWS + PNG_TIER * (words.length ? 2 : 1) + PNG_AXIS;
    const drawing = canvas.getContext("2d");
    if (!drawing)
        throw new Error("this browser cannot draw the picture");
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
    const row = (labels, top) => {
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
// The microphone, in pieces of samples.
/** Rejects where there is no microphone, or it is not allowed. */
async function openMicrophone(take) {
    if (!navigator.mediaDevices) {
        throw new Error("browsers only record on https pages and on localhost; send a file instead");
    }
    const options = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: options });
    const recording = new AudioContext();
    await recording.audioWorklet.addModule("recorder.js");
    const node = new AudioWorkletNode(recording, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = (event) => take(event.data);
    recording.createMediaStreamSource(stream).connect(node);
    await recording.resume();
    return {
        rate: recording.sampleRate,
        stop: () => {
            node.port.onmessage = null;
            stream.getTracks().forEach((track) => track.stop());
            void recording.close();
        },
    };
}
// What recognises speech: a server, or the model itself in this browser.
// The engine of `asr serve`: the JSON API and the WebSocket of the server that the page is from.
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
async function request(path, form) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    let response;
    try {
        response = await fetch(path, form ? { method: "POST", body: form, headers } : { headers });
    }
    catch {
        throw new Error("the server does not answer; is asr serve still running?");
    }
    if (response.ok)
        return response;
    const told = (await response.json().catch(() => null));
    throw new Error(told?.error?.message ?? `the server answered ${response.status}`);
}
function formOf(file, name, fields = {}) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields))
        form.append(key, value);
    form.append("audio", file, name);
    return form;
}
function fileOf(item) {
    return item.file ?? wavOf(item.sound);
}
class LiveSocket {
    constructor(rate, show) {
        this.waiting = [];
        this.phones = [];
        this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/live`);
        this.socket.onopen = () => {
            this.socket.send(JSON.stringify({ rate, ...(token ? { token } : {}) }));
            for (const message of this.waiting.splice(0))
                this.socket.send(message);
        };
        this.result = new Promise((resolve, reject) => {
            this.socket.onmessage = (event) => {
                const told = JSON.parse(String(event.data));
                if (told.error)
                    reject(new Error(told.error.message));
                else if (told.transcript)
                    resolve(told.transcript);
                else
                    show((this.phones = [...this.phones.slice(0, told.keep), ...(told.phones ?? [])]));
            };
            this.socket.onclose = () => reject(new Error("the server ended the recording"));
        });
        this.result.catch(() => undefined);
    }
    add(samples) { this.send(to16Bits(samples)); }
    finish() {
        this.send(JSON.stringify({ end: true }));
        return this.result;
    }
    send(message) {
        if (this.socket.readyState === WebSocket.OPEN)
            this.socket.send(message);
        else
            this.waiting.push(message);
    }
}
const serverEngine = () => ({
    about: async () => (await (await request("v1/model")).json()),
    decode: async (file, name) => {
        const wav = readWav(await (await request("v1/wav", formOf(file, name))).arrayBuffer());
        if (!wav)
            throw new Error(`${name}: the server sent no sound`);
        return wav;
    },
    transcribe: async (item) => (await (await request("v1/transcribe", formOf(fileOf(item), item.name))).json()),
    align: async (item, kind, text) => (await (await request("v1/align", formOf(fileOf(item), item.name, { [kind]: text }))).json()),
    compare: async (item, kind, text) => (await (await request("v1/score", formOf(fileOf(item), item.name, { [kind]: text }))).json()),
    live: (rate, show) => new LiveSocket(rate, show),
});
// The engine of a page without a server: the model itself, in a worker of this browser.
/** Seconds that are recognised again at each step while one speaks, and those that the window keeps when it moves on. */
const LIVE_WINDOW = 6, LIVE_KEPT = 3, LIVE_STEP = 0.3, LIVE_MARGIN = 0.5;
function startWorker() {
    const worker = new Worker("worker.js");
    let loaded;
    const runsOn = new Promise((resolve) => (loaded = resolve));
    const answers = new Map();
    worker.onmessage = (event) => {
        const { id, error, runsOn, ...found } = event.data;
        if (runsOn !== undefined)
            return loaded(runsOn);
        const answer = answers.get(id);
        answers.delete(id);
        if (error === undefined)
            answer?.resolve({ utterance: "recording", ...found });
        else
            answer?.reject(new Error(error));
    };
    let asked = 0, failed = null;
    worker.onerror = () => {
        failed = new Error("the model could not be loaded; load the page again");
        for (const { reject } of answers.values())
            reject(failed);
    };
    const recognise = (samples, typed) => new Promise((resolve, reject) => {
        if (failed)
            return reject(failed);
        answers.set(++asked, { resolve, reject });
        worker.postMessage({ id: asked, samples, ...typed });
    });
    return { recognise, runsOn };
}
class LocalLive {
    constructor(recognise, rate, wanted, show) {
        this.recognise = recognise;
        this.rate = rate;
        this.wanted = wanted;
        this.show = show;
        this.pieces = [];
        this.length = 0;
        this.stepped = 0;
        this.first = 0;
        this.phones = [];
        this.before = [];
        this.step = null;
    }
    add(samples) {
        this.pieces.push(samples);
        this.length += samples.length;
        if (this.step || this.length - this.stepped < LIVE_STEP * this.rate)
            return;
        this.stepped = this.length;
        this.step = this.recogniseWindow().catch(() => undefined).then(() => void (this.step = null));
    }
    async finish() {
        await this.step;
        const sound = await resample({ samples: joined(this.pieces), rate: this.rate }, this.wanted);
        return this.recognise(sound.samples);
    }
    async recogniseWindow() {
        if (this.length - this.first > LIVE_WINDOW * this.rate) {
            this.before = this.phones;
            this.first = this.length - LIVE_KEPT * this.rate;
        }
        const begin = this.first / this.rate;
        const sound = await resample({ samples: joined(this.pieces).subarray(this.first), rate: this.rate }, this.wanted);
        const found = (await this.recognise(sound.samples)).phones.map((phone) => ({ ...phone, start: phone.start + begin, end: phone.end + begin }));
        const kept = this.first ? this.before.filter((phone) => phone.end <= begin + LIVE_MARGIN) : [];
        const reached = kept[kept.length - 1]?.end ?? 0;
        this.phones = [...kept, ...found.filter((phone) => (phone.start + phone.end) / 2 > reached)];
        this.show(this.phones);
    }
}
function localEngine() {
    const { recognise, runsOn } = startWorker();
    let sampleRate = 16000;
    return {
        runsOn,
        about: async () => {
            const told = (await (await fetch("about.json")).json());
            sampleRate = told.sample_rate;
            if ("serviceWorker" in navigator)
                void navigator.serviceWorker.register("service_worker.js");
            return told;
        },
        decode: async (_, name) => {
            throw new Error(`${name}: not a recording that this browser plays; convert it to WAV or FLAC`);
        },
        transcribe: async (item) => ({ ...(await recognise(item.sound.samples)), utterance: stem(item.name), audio: item.name }),
        align: async (item, kind, text) => ({ ...(await recognise(item.sound.samples, { kind, text })), utterance: stem(item.name), audio: item.name }),
        live: (rate, show) => new LocalLive(recognise, rate, sampleRate, show),
    };
}
// Ties what the user does to what the page shows.
const engine = document.documentElement.dataset["engine"] === "local" ? localEngine() : serverEngine();
let about = null;
const items = [];
/** Recordings so far, for their names. */
let recorded = 0;
let recording = null;
let working = 0;
/** Runs one action of the user; what goes wrong is shown. */
async function attempt(text, action) {
    say(text);
    setWorking(1);
    try {
        await action();
    }
    catch (error) {
        say(messageOf(error), true);
    }
    setWorking(-1);
}
function setWorking(step) {
    working += step;
    byId("view").setAttribute("aria-busy", String(working > 0));
    showControls();
}
function showControls() {
    const ready = about !== null;
    const known = current?.transcript != null;
    byId("record").disabled = !ready || (working > 0 && !recording);
    byId("open").disabled = !ready || recording !== null;
    byId("align").disabled = !current || working > 0 || recording !== null;
    for (const id of ["play", "png"])
        byId(id).disabled = !current || recording !== null;
    for (const id of ["textgrid", "json", "csv", "elan"])
        byId(id).disabled = !known || recording !== null;
    byId("png").disabled = !known || recording !== null;
    byId("undo").disabled = !current?.undo.length;
    byId("view").hidden = !current && !recording;
    byId("empty").hidden = current !== null || recording !== null;
    byId("record").textContent = recording ? "■ Stop" : "● Record";
    byId("record").classList.toggle("on", recording !== null);
}
function showList() {
    const list = byId("items");
    list.replaceChildren(...items.map((item, at) => {
        const option = element("option", "", item.name, { value: String(at) });
        option.selected = item === current;
        return option;
    }));
    byId("items-label").hidden = items.length < 2;
    byId("name").textContent = current ? `${current.name} · ${secondsOf(current.sound).toFixed(2)} s` : "";
}
function show(item) {
    stop();
    showItem(item);
    showList();
    showControls();
}
function found(item, transcript) {
    item.transcript = transcript;
    item.comparison = null;
    item.undo = [];
    if (current === item) {
        selected = -1;
        drawLabels();
    }
    const fit = transcript.fit === undefined ? "" : `; fit ${transcript.fit.toFixed(2)} of 1`;
    say(`${item.name}: ${transcript.phones.length} phones${fit}`);
}
async function takeFiles(files) {
    for (const file of files)
        await attempt(`Reading ${file.name}…`, () => takeFile(file));
}
async function takeFile(file) {
    if (!about)
        return;
    if (file.size > about.limits.megabytes * 1e6)
        throw new Error(`${file.name}: larger than ${about.limits.megabytes} MB`);
    if (!file.size)
        throw new Error(`${file.name}: is an empty file`);
    const content = await file.arrayBuffer();
    const sound = await decode(content, about.sample_rate).catch(() => engine.decode(file, file.name));
    if (secondsOf(sound) > about.limits.seconds)
        throw new Error(`${file.name}: longer than ${about.limits.seconds} s`);
    const item = { name: file.name, sound, file, transcript: null, comparison: null, undo: [] };
    items.push(item);
    show(item);
    say(`Recognising ${file.name}…`);
    found(item, await engine.transcribe(item));
}
async function startRecording() {
    if (!about)
        return;
    stop();
    let session = null;
    let strip = null;
    let length = 0;
    const most = about.limits.live_seconds - 0.5;
    const microphone = await openMicrophone((samples) => {
        session?.add(samples);
        strip?.add(samples);
        length += samples.length;
        if (recording && length > most * microphone.rate)
            void attempt("", stopRecording);
    });
    showItem(null);
    strip = new LiveStrip(microphone.rate);
    session = engine.live(microphone.rate, (phones) => recording?.strip.show(phones));
    recording = { microphone, session, strip };
    byId("name").textContent = "Recording";
    byId("what").textContent = "";
    say(`Speak; phones appear as you do. At most ${about.limits.live_seconds} s.`);
}
async function stopRecording() {
    if (!recording || !about)
        return;
    const { microphone, session, strip } = recording;
    microphone.stop();
    recording = null;
    say("Recognising the whole recording…");
    const sound = await resample(strip.sound, about.sample_rate);
    const item = { name: `recording-${++recorded}.wav`, sound, file: null, transcript: null, comparison: null, undo: [] };
    items.push(item);
    show(item);
    const transcript = await session.finish();
    found(item, { ...transcript, utterance: stem(item.name), audio: item.name });
}
async function align() {
    const item = current;
    const text = byId("text").value.trim();
    if (!item)
        return;
    if (!text)
        throw new Error("type what is said first");
    const kind = byId("kind").value === "phones" ? "phones" : "words";
    found(item, await engine.align(item, kind, text));
    // Only silence has no error rate; the alignment is shown all the same.
    item.comparison = (await engine.compare?.(item, kind, text).catch(() => null)) ?? null;
    if (current === item)
        drawComparison();
}
function correct(transcript) {
    if (!current?.transcript)
        return;
    current.undo.push(current.transcript);
    current.transcript = transcript;
    drawLabels();
    showControls();
}
function undo() {
    const before = current?.undo.pop();
    if (!current || !before)
        return;
    current.transcript = before;
    drawLabels();
    showControls();
}
function pressed(event) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea"))
        return;
    const onPhone = target.matches(".phone, .handle") || target === document.body || target.id === "strip";
    const actions = {
        r: () => byId("record").click(),
        o: () => byId("open").click(),
        p: () => byId("play").click(),
        u: undo,
        "+": () => rescale(1),
        "-": () => rescale(-1),
        Escape: stop,
        ...(onPhone ? {
            ArrowLeft: () => choose(Math.max(0, selected - 1), false),
            ArrowRight: () => choose(selected + 1, false),
            " ": () => choose(Math.max(0, selected), true),
        } : {}),
    };
    const action = actions[event.key];
    if (!action)
        return;
    event.preventDefault();
    action();
}
function downloads() {
    const text = (content, name, kind = "text/plain") => saveAs(new Blob([content], { type: kind }), name);
    return [
        ["textgrid", (item, transcript) => text(textGridOf(transcript), `${stem(item.name)}.TextGrid`)],
        ["json", (item, transcript) => text(jsonOf(transcript), `${stem(item.name)}.json`, "application/json")],
        ["csv", (item, transcript) => text(csvOf(transcript), `${stem(item.name)}.csv`, "text/csv")],
        ["elan", (item, transcript) => text(elanOf(transcript), `${stem(item.name)}.eaf`, "application/xml")],
        ["png", (item) => void attempt("", async () => saveAs(await pngOf(item), `${stem(item.name)}.png`))],
    ];
}
function listen() {
    const files = byId("files");
    byId("open").addEventListener("click", () => files.click());
    files.addEventListener("change", () => {
        void takeFiles([...(files.files ?? [])]);
        files.value = "";
    });
    byId("record").addEventListener("click", () => void attempt("", recording ? stopRecording : startRecording));
    byId("play").addEventListener("click", () => (playing ? stop() : current && play(current.sound)));
    byId("undo").addEventListener("click", undo);
    byId("wider").addEventListener("click", () => rescale(1));
    byId("narrower").addEventListener("click", () => rescale(-1));
    byId("items").addEventListener("change", (event) => {
        const item = items[Number(event.target.value)];
        if (item)
            show(item);
    });
    byId("speech").addEventListener("submit", (event) => {
        event.preventDefault();
        void attempt("Aligning…", align);
    });
    for (const [id, action] of downloads()) {
        byId(id).addEventListener("click", () => current?.transcript && action(current, current.transcript));
    }
    document.addEventListener("keydown", pressed);
    document.addEventListener("dragover", (event) => {
        event.preventDefault();
        document.body.classList.add("over");
    });
    document.addEventListener("dragleave", () => document.body.classList.remove("over"));
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        document.body.classList.remove("over");
        if (about && !recording)
            void takeFiles([...(event.dataTransfer?.files ?? [])]);
    });
    dark.addEventListener("change", drawSpectrogram);
}
async function start() {
    changed = correct;
    listen();
    void engine.runsOn?.then((name) => (byId("runs-on").textContent = ` (${name})`));
    showControls();
    await attempt("Loading the model…", async () => {
        about = await engine.about();
        byId("model").textContent = about.name;
        byId("quality").textContent = about.quality ? ` · ${about.quality}` : "";
        const kind = byId("kind");
        if (!about.words) {
            kind.value = "phones";
            kind.querySelector("[value=words]")?.remove();
        }
        say("");
    });
}
void start();
