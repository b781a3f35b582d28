"use strict";
// What the page shows, as asr/report/browser/folder.py writes it into data/.
/** Who is right, as in asr/scoring/differing.py. */
var Place;
(function (Place) {
    Place[Place["same"] = 0] = "same";
    Place[Place["onlyOther"] = 1] = "onlyOther";
    Place[Place["onlyThis"] = 2] = "onlyThis";
    Place[Place["neither"] = 3] = "neither";
})(Place || (Place = {}));
const KIND_NAMES = { "": "right", S: "substitution", D: "deletion", I: "insertion" };
/** In addresses and filters: no phone, as in a deletion or an insertion. */
const NOTHING = "-";
let run = null;
const utterances = [];
const classOf = new Map();
function kindOf(pair) {
    if (pair[0] === pair[1])
        return "";
    return pair[0] === null ? "I" : pair[1] === null ? "D" : "S";
}
/** Puts the pairs of the second run, and what is known of their boundaries, after those of the first. */
function joinPairs(utterance) {
    const { pairs, other } = utterance;
    if (!other)
        return;
    utterance.pairs = pairs.concat(other.pairs);
    if (utterance.late || other.late) {
        utterance.late = [...(utterance.late ?? pairs.map(() => null)), ...(other.late ?? [])];
    }
    if (utterance.intervals || other.intervals) {
        const unknown = pairs.map(() => [null, null, null, null]);
        utterance.intervals = [...(utterance.intervals ?? unknown), ...(other.intervals ?? [])];
    }
}
/** The places of the first run's pairs, or the second's: from, and up to. */
function placesOf(utterance, side) {
    const firsts = utterance.pairs.length - (utterance.other?.pairs.length ?? 0);
    return side === 0 ? [0, firsts] : [firsts, utterance.pairs.length];
}
/** Whose pair it is at a place: the first run's (0) or the second's (1). */
function sideOf(utterance, at) {
    return at < placesOf(utterance, 0)[1] ? 0 : 1;
}
function sides(utterance) {
    return utterance.other ? [0, 1] : [0];
}
const SIDE_NAMES = ["A", "B"];
function errorsOf(utterance, side = 0) {
    const counts = side ? utterance.other?.counts ?? utterance.counts : utterance.counts;
    return counts[0] + counts[1] + counts[2];
}
function errorRate(utterance, side = 0) {
    return (100 * errorsOf(utterance, side)) / Math.max(1, utterance.counts[3]);
}
/** From the first to the last moment (s) of a pair's two phones. */
function spanOf(pair) {
    const starts = [pair[2], pair[4]].filter((time) => time !== null);
    const ends = [pair[3], pair[5]].filter((time) => time !== null);
    return [Math.min(...starts) / 1000, Math.max(...ends) / 1000];
}
function wordAt(utterance, seconds) {
    const word = utterance.words?.find(([, start, end]) => start <= 1000 * seconds && 1000 * seconds < end);
    return word ? word[0] : null;
}
/** An element with a class, text and attributes; text from the corpus is only ever set as text. */
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
// Which utterances and which of their pairs are shown, in which order; all of it is in the page's address.
const NO_FILTERS = {
    sort: "worst", ref: "", hyp: "", phone: "", class: "", speaker: "", text: "",
    shortest: "", longest: "", errors: "", marked: "", differ: "", off: "",
};
const SORTS = [
    ["worst", "Worst first"],
    ["errors", "Most errors"],
    ["score", "Least sure"],
    ["boundaries", "Boundaries furthest off"],
    ["speaker", "Speaker"],
    ["shortest", "Shortest"],
    ["longest", "Longest"],
    ["name", "Name"],
];
/** Orders of two runs. */
const SORTS_OF_TWO = [
    ["differ", "Most different first"],
    ["gain", "B better first"],
    ["loss", "A better first"],
];
/** Who is right where two runs differ. */
const DIFFERENCES = [
    ["any", "where they differ"],
    ["first", "only A is right"],
    ["second", "only B is right"],
    ["neither", "both err, differently"],
];
const GROUP = "group.";
let filters = { ...NO_FILTERS };
let groupFilters = new Map();
let shown = [];
/** The utterance and the place of the pair that is selected; a place of -1 is the utterance as a whole. */
let selected = null;
const targets = new Map();
function readAddress() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    filters = { ...NO_FILTERS };
    groupFilters = new Map();
    for (const [key, value] of parameters) {
        if (Object.keys(NO_FILTERS).includes(key))
            filters[key] = value;
        if (key.startsWith(GROUP))
            groupFilters.set(key.slice(GROUP.length), value);
    }
    if (![...SORTS_OF_TWO, ...SORTS].some(([name]) => name === filters.sort))
        filters.sort = NO_FILTERS.sort;
    const name = parameters.get("utterance");
    return name === null ? null : { name, at: Number(parameters.get("at") ?? -1) };
}
function address() {
    const parameters = new URLSearchParams();
    for (const [key, value] of Object.entries(filters)) {
        if (value !== NO_FILTERS[key])
            parameters.set(key, value);
    }
    for (const [name, value] of groupFilters)
        parameters.set(GROUP + name, value);
    if (selected) {
        parameters.set("utterance", selected.utterance.name);
        if (selected.at >= 0)
            parameters.set("at", String(selected.at));
    }
    return `#${parameters}`;
}
function writeAddress() {
    history.replaceState(null, "", address());
}
function filtersPairs() {
    return Boolean(filters.ref || filters.hyp || filters.phone || filters.class || filters.differ || filters.off);
}
/** Each place where two runs differ passes once: an error that only one makes is that one's, others are the first's. */
function differs(place, side) {
    switch (filters.differ) {
        case "first": return side === 1 && place === Place.onlyOther;
        case "second": return side === 0 && place === Place.onlyOther;
        case "neither": return side === 0 && place === Place.neither;
        default: return place === Place.onlyOther || (side === 0 && place === Place.neither);
    }
}
function passes(utterance, at) {
    const [pair, side] = [utterance.pairs[at], sideOf(utterance, at)];
    if (!pair)
        return false;
    if (filters.off && !(mostOff(utterance, at) > Number(filters.off)))
        return false;
    if (filters.differ && !differs(pair[7], side))
        return false;
    if ((filters.errors || !filtersPairs()) && !kindOf(pair))
        return false;
    if (filters.ref && (pair[0] ?? NOTHING) !== filters.ref)
        return false;
    if (filters.hyp && (pair[1] ?? NOTHING) !== filters.hyp)
        return false;
    if (filters.phone && pair[0] !== filters.phone && pair[1] !== filters.phone)
        return false;
    return !filters.class || classOf.get(pair[0] ?? pair[1] ?? "") === filters.class;
}
/** The places of the pairs that the filters are after, in the order of their times: without filters, all errors. */
function targetsOf(utterance) {
    let found = targets.get(utterance);
    if (!found) {
        found = utterance.pairs.flatMap((_, place) => (passes(utterance, place) ? [place] : []));
        if (utterance.other)
            found.sort((one, other) => compareTimes(utterance, one, other));
        targets.set(utterance, found);
    }
    return found;
}
/** The order of two places of an utterance by their times, then by their runs. */
function compareTimes(utterance, one, other) {
    const [first, second] = [utterance.pairs[one], utterance.pairs[other]];
    return (first && second ? spanOf(first)[0] - spanOf(second)[0] : 0) || one - other;
}
function isShown(utterance) {
    if (filters.speaker && utterance.speaker !== filters.speaker)
        return false;
    for (const [name, value] of groupFilters)
        if (utterance.groups?.[name] !== value)
            return false;
    if (filters.shortest && utterance.seconds < Number(filters.shortest))
        return false;
    if (filters.longest && utterance.seconds > Number(filters.longest))
        return false;
    if (filters.marked && !isMarked(utterance))
        return false;
    const text = filters.text.toLowerCase();
    if (text && !`${utterance.name}\n${utterance.text ?? ""}`.toLowerCase().includes(text))
        return false;
    return !(filters.errors || filtersPairs()) || targetsOf(utterance).length > 0;
}
function meanScore(utterance) {
    const scores = utterance.pairs.flatMap((pair) => (pair[6] === null ? [] : [pair[6]]));
    return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
}
function sortKey(utterance) {
    switch (filters.sort) {
        case "worst": return -errorRate(utterance);
        case "errors": return -errorsOf(utterance);
        case "score": return meanScore(utterance);
        case "boundaries": return -meanOff(utterance);
        case "shortest": return utterance.seconds;
        case "longest": return -utterance.seconds;
        case "differ": return -utterance.pairs.filter((pair, at) => differs(pair[7], sideOf(utterance, at))).length;
        case "gain": return errorsOf(utterance, 1) - errorsOf(utterance, 0);
        case "loss": return errorsOf(utterance, 0) - errorsOf(utterance, 1);
        default: return 0;
    }
}
function compareText(first, second) {
    return first < second ? -1 : first > second ? 1 : 0;
}
function applyFilters() {
    targets.clear();
    const keyed = utterances.filter(isShown).map((utterance) => ({ utterance, key: sortKey(utterance) }));
    keyed.sort((first, second) => first.key - second.key ||
        (filters.sort === "speaker" ? compareText(first.utterance.speaker, second.utterance.speaker) : 0) ||
        compareText(first.utterance.name, second.utterance.name));
    shown = keyed.map(({ utterance }) => utterance);
}
/** Whether a place comes after another in the direction of `step`; one that is not a pair's is before or after all. */
function isBeyond(utterance, place, from, step) {
    const apart = utterance.pairs[from] ? compareTimes(utterance, place, from) : place - from;
    return apart * step > 0;
}
/** The next target after the selected pair, or before it where `step` is -1; null at the end. */
function neighbour(step) {
    const current = selected ? shown.indexOf(selected.utterance) : -1;
    const from = selected && selected.at >= 0 ? selected.at : step > 0 ? -1 : Infinity;
    for (let row = Math.max(current, 0); row >= 0 && row < shown.length; row += step) {
        const utterance = shown[row];
        if (!utterance)
            break;
        const places = targetsOf(utterance).filter((place) => row !== current || isBeyond(utterance, place, from, step));
        const at = step > 0 ? places[0] : places[places.length - 1];
        if (at !== undefined)
            return { utterance, at };
    }
    return null;
}
// Marks and notes: kept in this browser where it allows that, and downloaded as JSON Lines.
const marks = new Map();
function markKey(utterance, at) {
    return JSON.stringify([utterance.name, at]);
}
function markOf(utterance, at) {
    return marks.get(markKey(utterance, at)) ?? { utterance: utterance.name, at, marked: false, note: "" };
}
function setMark(utterance, mark) {
    if (mark.marked || mark.note)
        marks.set(markKey(utterance, mark.at), mark);
    else
        marks.delete(markKey(utterance, mark.at));
    try {
        localStorage.setItem(storageKey(), JSON.stringify([...marks.values()]));
    }
    catch {
        // A browser that stores nothing for files: the marks last until the page is closed.
    }
}
function isMarked(utterance) {
    return [...marks.values()].some((mark) => mark.utterance === utterance.name);
}
function loadMarks() {
    try {
        const stored = JSON.parse(localStorage.getItem(storageKey()) ?? "[]");
        if (!Array.isArray(stored))
            return;
        for (const mark of stored)
            marks.set(JSON.stringify([mark.utterance, mark.at]), mark);
    }
    catch {
        // As above, or what is stored is not from this page.
    }
}
function storageKey() {
    return `asr marks ${location.pathname} ${run?.title}`;
}
/** One JSON object a line, in the order of the utterances. */
function marksAsJsonLines() {
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
function downloadMarks() {
    const link = element("a", "", "", { download: "marks.jsonl" });
    link.href = URL.createObjectURL(new Blob([marksAsJsonLines()], { type: "application/x-ndjson" }));
    link.click();
    URL.revokeObjectURL(link.href);
}
// Plays a part of an utterance; files are loaded when they are first played.
/** Seconds heard before and after what was clicked. */
const AROUND = 0.5;
const audio = new Audio();
let playing = null;
let following = false;
function play(utterance, from, to) {
    if (!utterance.audio)
        return;
    const end = Math.min(utterance.seconds, to);
    const seek = () => {
        audio.currentTime = Math.max(0, from);
        audio.play().catch(() => undefined);
    };
    audio.pause();
    playing = { utterance, end };
    if (audio.getAttribute("src") === utterance.audio && audio.readyState > 0) {
        seek();
    }
    else {
        audio.onloadedmetadata = seek;
        audio.setAttribute("src", utterance.audio);
    }
    if (!following)
        followPlayback();
}
function playPair(utterance, at, around = AROUND) {
    const pair = utterance.pairs[at];
    const [start, end] = pair ? spanOf(pair) : [0, utterance.seconds];
    play(utterance, start - around, end + around);
}
function stop() {
    audio.pause();
    playing = null;
    showPlayhead(null, 0);
}
function followPlayback() {
    following = playing !== null;
    if (!playing)
        return;
    if (audio.ended || (audio.currentTime >= playing.end && !audio.seeking && !audio.paused)) {
        stop();
        following = false;
        return;
    }
    showPlayhead(playing.utterance, audio.currentTime);
    requestAnimationFrame(followPlayback);
}
audio.addEventListener("error", () => {
    if (!playing)
        return;
    say(`Cannot play ${playing.utterance.name}: its recording is not there, or this browser does not play it.`);
    stop();
});
// How far boundaries are from the reference's, and how sure they are.
/** Milliseconds: boundaries that are further off are marked. */
const TOLERANCE = 20;
const OFF = [20, 50, 100].map((most) => [String(most), `more than ${most} ms`]);
function hasIntervals() {
    return run?.intervals ?? false;
}
/** Whether the references have times to compare with. */
function hasLabels() {
    return utterances.some(({ late }) => late !== undefined);
}
/** How far (ms) the boundaries of a right phone are off at most; 0 where that is not known. */
function mostOff(utterance, at) {
    return Math.max(...(utterance.late?.[at] ?? []).map((late) => Math.abs(late ?? 0)), 0);
}
function meanOff(utterance) {
    const [from, to] = placesOf(utterance, 0);
    const known = (utterance.late ?? []).slice(from, to).flatMap((both) => both ?? []).filter((late) => late !== null);
    return known.reduce((sum, late) => sum + Math.abs(late), 0) / Math.max(1, known.length);
}
/** Numbers in the tier of errors where a boundary is off: + late, − early. */
function drawLate(utterance, pair, at) {
    return (utterance.late?.[at] ?? []).flatMap((late, end) => {
        const time = pair[end ? 5 : 4];
        if (late === null || time === null || Math.abs(late) <= TOLERANCE)
            return [];
        const label = placed(element("span", "late", signed(late), { title: inWords(late, end) }), time, time);
        label.dataset["at"] = String(at);
        return [label];
    });
}
function signed(late) {
    return `${late < 0 ? "−" : "+"}${Math.abs(late)}`;
}
function inWords(late, end) {
    const when = late ? `${Math.abs(late)} ms ${late < 0 ? "early" : "late"}` : "on time";
    return `${end ? "ends" : "begins"} ${when}`;
}
/** What is known of the boundaries of a phone, of the reference (2) or of the hypothesis (4). */
function boundariesInWords(utterance, at, side) {
    const late = side === 4 ? utterance.late?.[at] ?? [] : [];
    const intervals = utterance.intervals?.[at]?.slice(side - 2, side) ?? [];
    const between = (interval, end) => interval ? [`${end ? "ends" : "begins"} between ${interval.map((time) => (time / 1000).toFixed(3)).join(" and ")} s`] : [];
    return [
        ...late.flatMap((each, end) => (each === null ? [] : [inWords(each, end)])),
        ...intervals.flatMap((each, end) => between(each, end)),
    ];
}
/** A bar from the earliest to the latest plausible time of each boundary of a side; neighbours are not in one line. */
function drawIntervals(utterance, from, to, side) {
    const bars = [];
    const known = new Set();
    for (let at = from; at < to; at++) {
        for (const interval of utterance.intervals?.[at]?.slice(side - 2, side) ?? []) {
            if (!interval || known.has(String(interval)))
                continue;
            known.add(String(interval));
            bars.push(placed(element("span", `interval ${bars.length % 2 ? "low" : ""}`, "", { "aria-hidden": "true" }), ...interval));
        }
    }
    return bars;
}
// The list of utterances: only the rows near the window are in the page.
/** Rows drawn above and below the window. */
const AHEAD = 2;
const PIXELS_PER_SECOND = [200, 350, 500, 700];
const TIER = 24, INTERVALS = 9;
/** Sizes of a phone's label in pixels, and the width of a letter as a share of its size; a label with less room is seen
    when its phone is selected or under the pointer, or the scale is larger. */
const LABEL = 11, SMALLEST_LABEL = 8, LETTER = 0.62;
/** Pixels that the letter of an error takes. */
const LETTER_ROOM = 10;
/** Pixels that a digit of a boundary's error takes. */
const DIGIT_ROOM = 6.5;
let scale = 350;
const drawn = new Map();
let playhead = null;
function pictureHeight() {
    return run && run.audio !== "none" ? run.picture[0] + run.picture[1] : 0;
}
/** Pixels from the top of one row to that of the next; all rows are equally high. */
function rowHeight() {
    return 58 + pictureHeight() + tierNames().length * TIER + (hasIntervals() ? phoneTiers() * INTERVALS : 0) + 26;
}
/** Tiers of phones, which have room for intervals where there are some. */
function phoneTiers() {
    return run?.beside ? 3 : 2;
}
/** What is written left of the tiers; of two runs, each has its own hypothesis and errors. */
function tierNames() {
    const words = run?.words ? ["words"] : [];
    return [...words, "ref", ...(run?.beside ? ["hyp A", "errors", "hyp B", "errors"] : ["hyp", "errors"])];
}
function redraw() {
    drawn.forEach((row) => row.remove());
    drawn.clear();
    byId("rows").style.height = `${shown.length * rowHeight()}px`;
    drawRows();
}
function drawRows() {
    const list = byId("rows");
    const top = -list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / rowHeight()) - AHEAD);
    const last = Math.min(shown.length, Math.ceil((top + innerHeight) / rowHeight()) + AHEAD);
    drawn.forEach((row, place) => {
        if (place >= first && place < last)
            return;
        row.remove();
        drawn.delete(place);
    });
    for (let place = first; place < last; place++) {
        const utterance = shown[place];
        if (!utterance || drawn.has(place))
            continue;
        const row = drawRow(utterance, place);
        drawn.set(place, row);
        const after = [...drawn.keys()].filter((other) => other > place).sort((one, other) => one - other)[0];
        list.insertBefore(row, after === undefined ? null : drawn.get(after) ?? null);
    }
}
function drawRow(utterance, place) {
    const row = element("li", "row", "", { "aria-setsize": String(shown.length), "aria-posinset": String(place + 1) });
    row.style.transform = `translateY(${place * rowHeight()}px)`;
    row.style.height = `${rowHeight()}px`;
    row.dataset["row"] = String(place);
    const names = element("div", "names", "", { "aria-hidden": "true" });
    names.style.paddingTop = `${pictureHeight()}px`;
    for (const name of tierNames())
        names.append(element("span", /^(ref|hyp)/.test(name) ? "of-phones" : "", name));
    const strip = element("div", "strip", "", {
        tabindex: "0", role: "group", "aria-label": `Phones of ${utterance.name}`,
    });
    strip.append(drawTiers(utterance));
    const body = element("div", "body");
    body.append(names, strip);
    row.append(drawHeading(utterance), element("p", "text", utterance.text ?? ""), body);
    return row;
}
function drawHeading(utterance) {
    const heading = element("div", "heading");
    if (utterance.audio) {
        heading.append(element("button", "play", "▶", { type: "button", "aria-label": `Play ${utterance.name}` }));
    }
    const groups = Object.values(utterance.groups ?? {});
    const facts = [
        ...sides(utterance).map((side) => `${utterance.other ? `${SIDE_NAMES[side]} ` : ""}${errorsInWords(utterance, side)}`),
        `${utterance.counts[3]} phones`,
        `${utterance.seconds.toFixed(2)} s`,
        [utterance.speaker, ...groups].join(", "),
    ];
    heading.append(element("h2", "", utterance.name), element("span", "facts", facts.join(" · ")));
    return heading;
}
function errorsInWords(utterance, side) {
    const [substituted, deleted, inserted] = (side && utterance.other?.counts) || utterance.counts;
    return `${errorRate(utterance, side).toFixed(1)}%: ${substituted} S, ${deleted} D, ${inserted} I`;
}
function drawTiers(utterance) {
    const tiers = element("div", "tiers");
    tiers.style.width = `${utterance.seconds * scale}px`;
    if (utterance.picture) {
        const picture = element("img", "picture", "", {
            src: utterance.picture, alt: `Waveform and spectrogram of ${utterance.name}`, draggable: "false",
        });
        picture.style.height = `${pictureHeight()}px`;
        tiers.append(picture);
    }
    if (run?.words)
        tiers.append(drawWords(utterance));
    const aimed = new Set(filtersPairs() ? targetsOf(utterance) : []);
    tiers.append(drawReference(utterance, aimed));
    for (const side of sides(utterance))
        tiers.append(...drawHypothesis(utterance, side, aimed));
    return tiers;
}
function drawWords(utterance) {
    const words = element("div", "tier");
    (utterance.words ?? []).forEach(([word, start, end], number) => {
        const box = placed(element("button", "word", word, { type: "button", tabindex: "-1", title: word }), start, end);
        box.dataset["word"] = String(number);
        words.append(box);
    });
    return words;
}
/** The reference; of two runs without the errors of either, which are below. */
function drawReference(utterance, aimed) {
    const tier = element("div", "tier of-phones");
    const [from, to] = placesOf(utterance, 0);
    for (let at = from; at < to; at++) {
        const pair = utterance.pairs[at];
        if (!pair || pair[0] === null)
            continue;
        const name = ["phone", utterance.other ? "" : kindOf(pair), ...stateOf(utterance, at, utterance.other ? null : aimed)];
        tier.append(drawPhone(utterance, pair, at, 2, name.join(" ")));
    }
    tier.append(...drawIntervals(utterance, from, to, 2));
    return tier;
}
function stateOf(utterance, at, aimed) {
    return [aimed?.has(at) ? "target" : "", isSelected(utterance, at) ? "selected" : ""];
}
/** The hypothesis of a run, and the letters of its errors. */
function drawHypothesis(utterance, side, aimed) {
    const [hypothesis, letters] = [element("div", "tier of-phones"), element("div", "tier")];
    letters.setAttribute("aria-hidden", "true");
    const [from, to] = placesOf(utterance, side);
    let free = 0;
    for (let at = from; at < to; at++) {
        const pair = utterance.pairs[at];
        if (!pair)
            continue;
        const name = ["phone", kindOf(pair), ...stateOf(utterance, at, aimed)];
        if (pair[1] !== null)
            hypothesis.append(drawPhone(utterance, pair, at, 4, name.join(" ")));
        for (const label of drawLate(utterance, pair, at)) {
            if (aimed.has(at))
                label.classList.add("target");
            free = placeAfter(label, free);
            letters.append(label);
        }
        if (!kindOf(pair))
            continue;
        const [start, end] = spanOf(pair);
        const letter = placed(element("span", `letter ${kindOf(pair)}`, kindOf(pair)), 1000 * start, 1000 * end);
        letter.dataset["at"] = String(at);
        if (marks.has(markKey(utterance, at)))
            letter.textContent += "★";
        if (utterance.other && aimed.has(at))
            letter.classList.add("target");
        free = placeAfter(letter, free);
        letters.append(letter);
    }
    hypothesis.append(...drawIntervals(utterance, from, to, 4));
    return [hypothesis, letters];
}
function drawPhone(utterance, pair, at, side, name) {
    const phone = pair[side === 2 ? 0 : 1] ?? "";
    const about = [`${side === 2 ? "reference" : "hypothesis"} ${phone}`, describe(pair), ...boundariesInWords(utterance, at, side)];
    const label = about.join(", ");
    const attributes = { type: "button", tabindex: "-1", "aria-label": label, title: label };
    const box = placed(element("button", name, phone, attributes), pair[side] ?? 0, pair[side === 2 ? 3 : 5] ?? 0);
    const room = parseFloat(box.style.width) / phone.length / LETTER;
    if (room < LABEL)
        box.style.fontSize = room < SMALLEST_LABEL ? "0" : `${room}px`;
    if (side === 4 && pair[6] !== null)
        box.style.setProperty("--score", String(pair[6]));
    box.dataset["at"] = String(at);
    return box;
}
function placed(box, start, end) {
    box.style.left = `${(start * scale) / 1000}px`;
    box.style.width = `${Math.max(4, ((end - start) * scale) / 1000)}px`;
    return box;
}
/** Keeps a letter to the right of the previous one, which ends at `free` (pixels); returns where it ends itself. */
function placeAfter(letter, free) {
    const length = letter.textContent?.length ?? 1;
    const needed = letter.matches(".late") ? DIGIT_ROOM * (length + 1) : LETTER_ROOM * length;
    const [left, width] = [parseFloat(letter.style.left), parseFloat(letter.style.width)];
    const middle = Math.max(left + width / 2, free + needed / 2);
    const room = Math.max(width, needed);
    letter.style.left = `${middle - room / 2}px`;
    letter.style.width = `${room}px`;
    return middle + needed / 2;
}
function describe(pair) {
    const score = pair[6] === null ? "" : `, score ${pair[6].toFixed(2)}`;
    switch (kindOf(pair)) {
        case "S": return `${pair[0]} recognised as ${pair[1]}${score}`;
        case "D": return `${pair[0]} deleted`;
        case "I": return `${pair[1]} inserted${score}`;
        default: return `${pair[0]} right${score}`;
    }
}
function isSelected(utterance, at) {
    return selected !== null && selected.utterance === utterance && selected.at === at;
}
/** Draws the row of an utterance again, where it is drawn, without moving its strip. */
function refreshRow(utterance) {
    const row = drawn.get(shown.indexOf(utterance));
    row?.querySelector(".tiers")?.replaceWith(drawTiers(utterance));
}
/** Scrolls to the selected pair and gives its button the focus. */
function reveal(utterance, at) {
    const place = shown.indexOf(utterance);
    if (place < 0)
        return;
    const top = byId("rows").getBoundingClientRect().top + scrollY + place * rowHeight();
    const visible = innerHeight - byId("panel").offsetHeight;
    if (top < scrollY || top + rowHeight() > scrollY + visible)
        scrollTo(0, top - Math.max(0, (visible - rowHeight()) / 3));
    drawRows();
    const row = drawn.get(place);
    const strip = row?.querySelector(".strip");
    const pair = utterance.pairs[at];
    if (!row || !strip || !pair)
        return;
    const middle = ((spanOf(pair)[0] + spanOf(pair)[1]) / 2) * scale;
    if (middle < strip.scrollLeft + 40 || middle > strip.scrollLeft + strip.clientWidth - 40) {
        strip.scrollLeft = middle - strip.clientWidth / 2;
    }
    row.querySelector(".phone.selected")?.focus({ preventScroll: true });
}
function showPlayhead(utterance, seconds) {
    const tiers = utterance && drawn.get(shown.indexOf(utterance))?.querySelector(".tiers");
    if (!tiers) {
        playhead?.remove();
        return;
    }
    playhead ??= element("div", "playhead");
    if (playhead.parentElement !== tiers)
        tiers.append(playhead);
    playhead.style.transform = `translateX(${seconds * scale}px)`;
}
// The filters as a form.
const FREQUENT = 100;
const BETWEEN = " ";
function buildControls() {
    const form = byId("filters");
    form.replaceChildren();
    const phones = (run?.phones ?? []).map((phone) => [phone, phone]);
    const speakers = [...new Set(utterances.map((utterance) => utterance.speaker))].sort(compareText);
    form.append(select("sort", "Order", allSorts().filter(([name]) => isKnown(name)), false), ...(run?.beside ? [select("differ", "Two runs", DIFFERENCES)] : []), checkbox("errors", "Only errors"), checkbox("marked", "Only marked"), select("frequent", "Frequent errors", frequentErrors()), select("ref", "Reference", [[NOTHING, "nothing (insertion)"], ...phones]), select("hyp", "Recognised as", [[NOTHING, "nothing (deletion)"], ...phones]), select("phone", "Phone, on either side", phones), ...(hasLabels() ? [select("off", "Boundary of a right phone off by", OFF)] : []), select("class", "Phone class", (run?.classes ?? []).map((name) => [name, name])), select("speaker", "Speaker", speakers.map((name) => [name, name])), ...groupControls(), input("text", "Name or words", "search"), input("shortest", "From (s)", "number"), input("longest", "To (s)", "number"));
    const reset = element("button", "", "Show all", { type: "reset" });
    form.append(reset);
    byId("scores").hidden = !hasScores();
    byId("late").hidden = !hasLabels();
    byId("sure").hidden = !hasIntervals();
    showFilters();
}
function allSorts() {
    return [...(run?.beside ? SORTS_OF_TWO : []), ...SORTS];
}
/** Whether there is what an order goes by. */
function isKnown(sort) {
    return sort === "score" ? hasScores() : sort === "boundaries" ? hasLabels() : true;
}
/** Whether the run was decoded with confidences. */
function hasScores() {
    return utterances.some(({ pairs }) => pairs.some((pair) => pair[6] !== null));
}
function groupControls() {
    const values = new Map();
    for (const utterance of utterances) {
        for (const [name, value] of Object.entries(utterance.groups ?? {})) {
            values.set(name, (values.get(name) ?? new Set()).add(value));
        }
    }
    const useful = [...values].filter(([, found]) => found.size > 1 && found.size < 200);
    return useful.map(([name, found]) => {
        const choices = [...found].sort(compareText).map((value) => [value, value]);
        return select(GROUP + name, name.charAt(0).toUpperCase() + name.slice(1), choices);
    });
}
function frequentErrors() {
    const times = new Map();
    for (const { pairs } of utterances) {
        for (const pair of pairs) {
            if (!kindOf(pair))
                continue;
            const key = [pair[0] ?? NOTHING, pair[1] ?? NOTHING].join(BETWEEN);
            times.set(key, (times.get(key) ?? 0) + 1);
        }
    }
    const ranked = [...times].sort((one, other) => other[1] - one[1] || compareText(one[0], other[0]));
    return ranked.slice(0, FREQUENT).map(([key, count]) => [key, `${key.replace(BETWEEN, " → ")} (${count})`]);
}
function labelled(label, control, name) {
    const wrapper = element("label", "", label);
    control.setAttribute("name", name);
    wrapper.append(control);
    return wrapper;
}
function select(name, label, choices, any = true) {
    const control = element("select");
    for (const [value, text] of any ? [["", "any"], ...choices] : choices) {
        control.append(element("option", "", text, { value }));
    }
    return labelled(label, control, name);
}
function input(name, label, type) {
    const more = type === "number" ? { min: "0", step: "0.1" } : {};
    return labelled(label, element("input", "", "", { type, ...more }), name);
}
function checkbox(name, label) {
    const wrapper = element("label", "check");
    wrapper.append(element("input", "", "", { type: "checkbox", value: "1", name }), label);
    return wrapper;
}
/** Sets the form to the filters. */
function showFilters() {
    const form = byId("filters");
    for (const control of form.querySelectorAll("[name]")) {
        const value = filterValue(control.name);
        if (control instanceof HTMLInputElement && control.type === "checkbox")
            control.checked = value !== "";
        else
            control.value = value;
    }
}
function filterValue(name) {
    if (name.startsWith(GROUP))
        return groupFilters.get(name.slice(GROUP.length)) ?? "";
    if (name === "frequent")
        return filters.ref && filters.hyp ? filters.ref + BETWEEN + filters.hyp : "";
    return filters[name];
}
/** Takes the value of a changed control into the filters. */
function takeFilter(control) {
    const checkable = control instanceof HTMLInputElement && control.type === "checkbox";
    const value = checkable ? (control.checked ? "1" : "") : control.value;
    if (control.name.startsWith(GROUP)) {
        const name = control.name.slice(GROUP.length);
        if (value)
            groupFilters.set(name, value);
        else
            groupFilters.delete(name);
    }
    else if (control.name === "frequent") {
        [filters.ref, filters.hyp] = value ? value.split(BETWEEN) : ["", ""];
    }
    else {
        filters[control.name] = value;
    }
}
// The panel at the bottom: what is selected, and what can be done with it.
function say(message) {
    byId("message").textContent = message;
}
function showPanel() {
    const pair = selected?.utterance.pairs[selected.at];
    const mark = selected ? markOf(selected.utterance, selected.at) : null;
    byId("what").textContent = selected ? whatIsSelected(selected.utterance, pair) : "Click a phone to hear it.";
    byId("mark").setAttribute("aria-pressed", String(mark?.marked ?? false));
    byId("note").value = mark?.note ?? "";
    for (const id of ["mark", "note", "hear", "exact", "whole"]) {
        const silent = run?.audio === "none" && ["hear", "exact", "whole"].includes(id);
        byId(id).disabled = selected === null;
        byId(id).hidden = silent;
    }
    byId("download").textContent = `Download marks (${marks.size})`;
    byId("download").disabled = marks.size === 0;
}
function whatIsSelected(utterance, pair) {
    if (!pair)
        return utterance.name;
    const [start, end] = spanOf(pair);
    const word = wordAt(utterance, (start + end) / 2);
    const where = `${start.toFixed(2)} to ${end.toFixed(2)} s${word ? `, in “${word}”` : ""}`;
    const whose = utterance.other && selected ? `${SIDE_NAMES[sideOf(utterance, selected.at)]}: ` : "";
    const boundaries = boundariesInWords(utterance, selected?.at ?? -1, pair[1] === null ? 2 : 4);
    return `${whose}${[describe(pair), ...boundaries].join(", ")} · ${where} · ${utterance.name}`;
}
function showSummary() {
    const errors = shown.reduce((sum, utterance) => sum + targetsOf(utterance).length, 0);
    const found = filtersPairs() && !filters.errors ? "place" : "error";
    const loading = run && utterances.length < run.utterances ? " (loading)" : "";
    const all = shown.length === utterances.length ? "" : ` of ${utterances.length.toLocaleString("en")}`;
    byId("summary").textContent =
        `${shown.length.toLocaleString("en")}${all} utterances, ${errors.toLocaleString("en")} ${found}${errors === 1 ? "" : "s"}${loading}`;
}
/** Selects a pair, or with a place of -1 an utterance; then shows and plays it. */
function choose(utterance, at, heard) {
    const before = selected?.utterance;
    selected = { utterance, at };
    say("");
    if (before && before !== utterance)
        refreshRow(before);
    refreshRow(utterance);
    reveal(utterance, at);
    showPanel();
    writeAddress();
    if (heard)
        playPair(utterance, at, at < 0 ? 0 : AROUND);
}
function step(direction) {
    const found = neighbour(direction);
    if (found)
        choose(found.utterance, found.at, true);
    else
        say(direction > 0 ? "That was the last one." : "That was the first one.");
}
/** Selects the phone next to the selected one, right or wrong. */
function move(direction) {
    if (!selected)
        return;
    const at = selected.at + direction;
    const [from, to] = placesOf(selected.utterance, sideOf(selected.utterance, selected.at));
    if (at >= from && at < to)
        choose(selected.utterance, at, true);
}
function toggleMark() {
    if (!selected)
        return;
    const mark = markOf(selected.utterance, selected.at);
    setMark(selected.utterance, { ...mark, marked: !mark.marked });
    refreshRow(selected.utterance);
    showPanel();
}
function takeNote(note) {
    if (!selected)
        return;
    setMark(selected.utterance, { ...markOf(selected.utterance, selected.at), note });
    refreshRow(selected.utterance);
    showPanel();
}
async function copyAddress() {
    writeAddress();
    try {
        await navigator.clipboard.writeText(location.href);
        say("The address of this view is copied.");
    }
    catch {
        say("Copy this view's address from the address bar.");
    }
}
// Loads the data, then ties what the user does to what the page shows.
function loadScript(source) {
    const script = element("script", "", "", { src: source });
    script.async = false;
    script.onerror = () => say(`${source} is missing; write the report again.`);
    document.head.append(script);
}
/** Called by data/run.js. */
function receiveRun(text) {
    run = JSON.parse(text);
    run.classOf.forEach(([phone, name]) => classOf.set(phone, name));
    document.title = `Errors of ${run.title}`;
    byId("title").textContent = run.title;
    const pers = run.beside?.pers.map((per, side) => `${SIDE_NAMES[side]} ${per.toFixed(1)}%`);
    byId("per").textContent = `Phone error rate ${pers ? pers.join(", ") : `${run.per.toFixed(1)}%`}, silence counted`;
    if (run.beside) {
        NO_FILTERS.sort = "differ";
        byId("runs").textContent = run.beside.names.map((name, side) => `${SIDE_NAMES[side]}: ${name}`).join(" · ");
    }
    document.body.classList.toggle("with-intervals", hasIntervals());
    loadMarks();
    for (let chunk = 0; chunk < run.chunks; chunk++)
        loadScript(`data/utterances-${chunk}.js`);
}
/** Called by each data/utterances-N.js. */
function receiveUtterances(text) {
    const first = utterances.length === 0;
    for (const utterance of JSON.parse(text)) {
        joinPairs(utterance);
        utterances.push(utterance);
    }
    if (utterances.length === run?.utterances)
        buildControls();
    if (first || utterances.length === run?.utterances)
        followAddress();
}
function followAddress() {
    const wanted = readAddress();
    const utterance = wanted && utterances.find(({ name }) => name === wanted.name);
    selected = utterance ? { utterance, at: utterance.pairs[wanted.at] ? wanted.at : -1 } : null;
    showFilters();
    applyFilters();
    redraw();
    showSummary();
    showPanel();
    if (selected)
        reveal(selected.utterance, selected.at);
}
function filtersChanged() {
    applyFilters();
    scrollTo(0, 0);
    redraw();
    showFilters();
    showSummary();
    writeAddress();
}
function clicked(event) {
    const target = event.target;
    const utterance = shown[Number(target.closest(".row")?.dataset["row"])];
    if (!utterance)
        return;
    const at = target.closest("[data-at]")?.dataset["at"];
    const word = utterance.words?.[Number(target.closest("[data-word]")?.dataset["word"])];
    if (at !== undefined)
        choose(utterance, Number(at), true);
    else if (word)
        play(utterance, word[1] / 1000 - AROUND, word[2] / 1000 + AROUND);
    else if (target.closest(".play"))
        choose(utterance, -1, true);
    else if (target.closest(".picture"))
        play(utterance, event.offsetX / scale - AROUND, event.offsetX / scale + AROUND);
}
function pressed(event) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey)
        return;
    if (target.matches("input:not([type=checkbox]), select, textarea")) {
        if (event.key === "Escape" || (event.key === "Enter" && target.matches("input")))
            target.blur();
        return;
    }
    const action = KEYS[event.key];
    if (!action || (event.key === " " && target.matches("button:not(.phone), input, summary")))
        return;
    event.preventDefault();
    action();
}
function heard(around) {
    if (selected)
        playPair(selected.utterance, selected.at, around);
}
function hearWhole() {
    if (selected)
        play(selected.utterance, 0, selected.utterance.seconds);
}
function rescale(step) {
    scale = PIXELS_PER_SECOND[PIXELS_PER_SECOND.indexOf(scale) + step] ?? scale;
    redraw();
    if (selected)
        reveal(selected.utterance, selected.at);
}
const KEYS = {
    n: () => step(1),
    p: () => step(-1),
    " ": () => heard(AROUND),
    x: () => heard(0),
    a: hearWhole,
    m: toggleMark,
    c: () => byId("note").focus(),
    "/": () => byId("filters").querySelector("[name=text]")?.focus(),
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    "+": () => rescale(1),
    "-": () => rescale(-1),
    Escape: stop,
};
function start() {
    const buttons = [
        ["next", () => step(1)],
        ["previous", () => step(-1)],
        ["hear", () => heard(AROUND)],
        ["exact", () => heard(0)],
        ["whole", hearWhole],
        ["mark", toggleMark],
        ["copy", () => void copyAddress()],
        ["download", downloadMarks],
        ["wider", () => rescale(1)],
        ["narrower", () => rescale(-1)],
    ];
    for (const [id, action] of buttons)
        byId(id).addEventListener("click", action);
    byId("note").addEventListener("change", (event) => takeNote(event.target.value.trim()));
    byId("rows").addEventListener("click", clicked);
    const form = byId("filters");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
        takeFilter(event.target);
        filtersChanged();
    });
    form.addEventListener("reset", (event) => {
        event.preventDefault();
        filters = { ...NO_FILTERS, sort: filters.sort };
        groupFilters.clear();
        filtersChanged();
    });
    document.addEventListener("keydown", pressed);
    addEventListener("hashchange", followAddress);
    addEventListener("resize", drawRows);
    let waiting = false;
    addEventListener("scroll", () => {
        if (waiting)
            return;
        waiting = true;
        requestAnimationFrame(() => {
            waiting = false;
            drawRows();
        });
    }, { passive: true });
    byId("side").open = matchMedia("(min-width: 60rem)").matches;
    loadScript("data/run.js");
}
start();
