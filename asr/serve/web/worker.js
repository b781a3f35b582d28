"use strict";
// The best path through a decoding graph, as asr/decoding/search/token_passing.py finds it.
/** Tokens: the previous one (-1: none), and the arc that leads from it; -1 - arc for one that consumes no frame. */
class Tokens {
    constructor() {
        this.parents = [-1];
        this.arcs = [0];
    }
    add(parent, arc) {
        this.arcs.push(arc);
        return this.parents.push(parent) - 1;
    }
}
/** The phones of the best path for `scale` x `scores` [frames, classes]. */
function bestPath(graph, scores, classes, scale, beam) {
    const frames = scores.length / classes;
    const tokens = new Tokens();
    let costs = new Float64Array(graph.states).fill(Infinity);
    let standing = new Int32Array(graph.states).fill(-1);
    costs[graph.start] = 0;
    standing[graph.start] = 0;
    followFree(graph, Infinity, costs, standing, tokens);
    for (let frame = 0; frame < frames; frame++) {
        const after = new Float64Array(graph.states).fill(Infinity);
        const afterTokens = new Int32Array(graph.states).fill(-1);
        const arrived = new Int32Array(graph.states);
        let least = Infinity;
        for (let state = 0; state < graph.states; state++) {
            let best = Infinity;
            for (let arc = graph.first[state]; arc < graph.first[state + 1]; arc++) {
                const total = costs[graph.sources[arc]] + graph.costs[arc] - scale * scores[frame * classes + graph.labels[arc]];
                if (total < best) {
                    best = total;
                    arrived[state] = arc;
                }
            }
            after[state] = best;
            least = Math.min(least, best);
        }
        const limit = least + beam;
        for (let state = 0; state < graph.states; state++) {
            if (after[state] > limit)
                after[state] = Infinity;
            if (after[state] === Infinity)
                continue;
            const arc = arrived[state];
            afterTokens[state] = tokens.add(standing[graph.sources[arc]], arc);
        }
        costs = after;
        standing = afterTokens;
        followFree(graph, limit, costs, standing, tokens);
    }
    return readPath(graph, tokens, bestEnd(graph, costs, standing), frames);
}
function followFree(graph, limit, costs, standing, tokens) {
    for (let arc = 0; arc < graph.freeSources.length; arc++) {
        const [source, target] = [graph.freeSources[arc], graph.freeTargets[arc]];
        const total = costs[source] + graph.freeCosts[arc];
        if (total > limit || total >= costs[target])
            continue;
        costs[target] = total;
        standing[target] = tokens.add(standing[source], -1 - arc);
    }
}
/** The token with which the best path ends: in a final state, if one is reached. */
function bestEnd(graph, costs, standing) {
    for (const finals of [graph.finals, graph.finals.map(() => 0)]) {
        let [last, best] = [-1, Infinity];
        for (let state = 0; state < graph.states; state++) {
            const total = costs[state] + (finals[state] ?? Infinity);
            if (total < best)
                [last, best] = [standing[state], total];
        }
        if (best < Infinity)
            return last;
    }
    return -1;
}
function readPath(graph, tokens, last, frames) {
    const arcs = [];
    for (let token = last; token > 0; token = tokens.parents[token])
        arcs.push(tokens.arcs[token]);
    const spans = [];
    let frame = 0;
    for (const arc of arcs.reverse()) {
        const phone = arc >= 0 ? graph.phones[arc] : graph.freePhones[-1 - arc];
        if (phone >= 0) {
            const before = spans[spans.length - 1];
            if (before)
                before.end = frame;
            spans.push({ phone, first: frame, end: frames });
        }
        if (arc >= 0)
            frame++;
    }
    return spans;
}
// From CTC's frames to phones: asr/decoding/search/greedy.py, collapse.py and forced_path.py.
/** The best class of each frame, as phones. */
function greedy(scores, classes) {
    const best = [];
    for (let first = 0; first < scores.length; first += classes) {
        let label = 0;
        for (let other = 1; other < classes; other++)
            if (scores[first + other] > scores[first + label])
                label = other;
        best.push(label);
    }
    return collapse(best);
}
/** A run of one class is one phone, blanks (0) are none; a phone lasts until the next begins. */
function collapse(labels) {
    const spans = [];
    labels.forEach((label, frame) => {
        if (label === 0 || label === (labels[frame - 1] ?? 0))
            return;
        const before = spans[spans.length - 1];
        if (before)
            before.end = frame;
        spans.push({ phone: label - 1, first: frame, end: labels.length });
    });
    return spans;
}
/** The best alignment of known phones: states 0, 2, ... are blanks, and the phone of 2n + 1 is the n-th. */
function forcedPath(scores, classes, phones) {
    const frames = scores.length / classes, states = 2 * phones.length + 1;
    const label = (state) => (state % 2 ? phones[(state - 1) / 2] + 1 : 0);
    const skips = (state) => state > 2 && state % 2 === 1 && label(state) !== label(state - 2);
    const moves = new Uint8Array(frames * states);
    const best = new Float64Array(states).fill(-Infinity);
    for (let frame = 0; frame < frames; frame++) {
        for (let state = states - 1; state >= 0; state--) {
            let reached = best[state], move = 0;
            if (frame === 0)
                reached = state < 2 ? 0 : -Infinity;
            else {
                if (skips(state) && best[state - 2] > reached)
                    [reached, move] = [best[state - 2], 2];
                if (state > 0 && best[state - 1] > reached)
                    [reached, move] = [best[state - 1], 1];
            }
            best[state] = reached + scores[frame * classes + label(state)];
            moves[frame * states + state] = move;
        }
    }
    let state = states > 1 && best[states - 2] >= best[states - 1] ? states - 2 : states - 1;
    const path = new Array(frames);
    for (let frame = frames - 1; frame >= 0; frame--) {
        path[frame] = label(state);
        state -= moves[frame * states + state];
    }
    return collapse(path);
}
// The phone n-gram as the prefix beam search reads it: asr/decoding/search/phone_prior.py, but each history's row only
// when the search first comes to it.
const SENTENCE_START = "<s>", SENTENCE_END = "</s>", IMPOSSIBLE = -99;
/** An n-gram over symbols, which are phones or phones that begin a word. Histories are numbers. */
class Ngram {
    constructor(lines, phones, wordStart) {
        /** The number of the n-gram that each n-gram and a symbol make; 0 is the empty one. */
        this.longer = new Map();
        /** Each n-gram without its last symbol, and that symbol. */
        this.parents = [-1];
        this.last = [-1];
        this.logs = [NaN];
        this.backoffs = [0];
        this.isHistory = [true];
        this.rows = new Map();
        const phoneOf = (symbol) => phones.indexOf(symbol.endsWith(wordStart) ? symbol.slice(0, -wordStart.length) : symbol);
        const listed = [...ngramLines(lines)];
        const symbols = listed.filter(({ words }) => words.length === 1).map(({ words }) => words[0])
            .filter((symbol) => phoneOf(symbol) >= 0).sort();
        this.phones = Int32Array.from(symbols, phoneOf);
        this.columns = new Map([...symbols, SENTENCE_END, SENTENCE_START].map((symbol, column) => [symbol, column]));
        this.width = this.columns.size;
        this.start = this.number([this.width - 1]);
        this.isHistory[this.start] = true;
        for (const { log, words, backoff } of listed)
            this.add(log, words, backoff);
    }
    /** The natural logs of each symbol and, last, of the end after a history. */
    logsAfter(history) { return this.row(history).logs; }
    /** The history that follows when each symbol is added. */
    following(history) { return this.row(history).following; }
    add(log, words, backoff) {
        const parts = words.map((word) => this.columns.get(word) ?? -1);
        if (parts.includes(-1))
            return;
        const own = this.number(parts);
        if (backoff !== null)
            this.backoffs[own] = backoff;
        if (parts[parts.length - 1] === this.width - 1)
            return;
        this.logs[own] = log;
        for (let length = parts.length - 1; length > 0; length--) {
            const history = this.number(parts.slice(0, length));
            if (this.isHistory[history])
                break;
            this.isHistory[history] = true;
        }
    }
    number(parts) {
        let found = 0;
        for (const part of parts) {
            const key = found * this.width + part;
            let next = this.longer.get(key);
            if (next === undefined) {
                this.parents.push(found);
                next = this.last.push(part) - 1;
                this.logs.push(NaN);
                this.backoffs.push(0);
                this.isHistory.push(false);
                this.longer.set(key, next);
            }
            found = next;
        }
        return found;
    }
    row(history) {
        let row = this.rows.get(history);
        if (row === undefined)
            this.rows.set(history, row = this.newRow(history));
        return row;
    }
    newRow(history) {
        const symbols = this.phones.length;
        const row = { logs: new Float64Array(symbols + 1).fill(-Infinity), following: new Int32Array(symbols) };
        if (history) {
            const { shorter, backoff } = this.shorter(history);
            const below = this.row(shorter);
            for (let column = 0; column <= symbols; column++)
                row.logs[column] = backoff + below.logs[column];
            row.following.set(below.following);
        }
        for (let column = 0; column <= symbols; column++) {
            const longer = this.longer.get(history * this.width + column);
            if (longer === undefined)
                continue;
            if (!Number.isNaN(this.logs[longer]))
                row.logs[column] = this.logs[longer];
            if (this.isHistory[longer])
                row.following[column] = longer;
        }
        return row;
    }
    /** The longest shorter history, and the log weight of backing off to it. */
    shorter(history) {
        let parts = [], backoff = this.backoffs[history];
        for (let at = history; at > 0; at = this.parents[at])
            parts.unshift(this.last[at]);
        parts = parts.slice(1);
        for (;;) {
            const shorter = this.find(parts);
            if (shorter !== undefined && this.isHistory[shorter])
                return { shorter, backoff };
            backoff += shorter === undefined ? 0 : this.backoffs[shorter];
            parts = parts.slice(1);
        }
    }
    find(parts) {
        let found = 0;
        for (const part of parts)
            if (found !== undefined)
                found = this.longer.get(found * this.width + part);
        return found;
    }
}
/** The n-grams of ARPA text, with natural logarithms. */
function* ngramLines(lines) {
    let order = 0;
    for (const line of lines) {
        const section = /^\\(\d+)-grams:/.exec(line);
        if (section)
            order = Number(section[1]);
        if (section || order === 0 || line.startsWith("\\") || !line.trim())
            continue;
        const fields = line.trim().split(/\s+/);
        const log = Number(fields[0]);
        yield {
            log: log <= IMPOSSIBLE ? -Infinity : log * Math.LN10,
            words: fields.slice(1, order + 1),
            backoff: fields.length > order + 1 ? Number(fields[order + 1]) * Math.LN10 : null,
        };
    }
}
// CTC prefix beam search, as asr/decoding/search/prefix_beam.py and prefix_tree.py do it.
/** The tree of prefixes: without its last symbol, that symbol, longer ones, the n-gram's history, all that the prior has
 * added, and the place in the beam (-1: none). */
class Prefixes {
    constructor(prior) {
        this.prior = prior;
        this.parents = [-1];
        this.symbols = [-1];
        this.children = [new Map()];
        this.language = [0];
        this.slots = [-1];
        this.histories = [prior.ngram.start];
    }
    /** What the prior adds for a symbol after a history. */
    added(history, symbol) {
        return this.weighted(this.prior.ngram.logsAfter(history)[symbol]) - this.prior.penalty;
    }
    /** A prefix's score with what the prior adds for the end. */
    ended(prefix) {
        const { ngram } = this.prior;
        return this.language[prefix] + this.weighted(ngram.logsAfter(this.histories[prefix])[ngram.phones.length]);
    }
    longer(prefix, symbol) {
        const found = this.children[prefix].get(symbol);
        if (found !== undefined)
            return found;
        const history = this.histories[prefix];
        this.symbols.push(symbol);
        this.children.push(new Map());
        this.histories.push(this.prior.ngram.following(history)[symbol]);
        this.language.push(this.language[prefix] + this.added(history, symbol));
        this.slots.push(-1);
        const added = this.parents.push(prefix) - 1;
        this.children[prefix].set(symbol, added);
        return added;
    }
    phonesOf(prefix) {
        const phones = [];
        for (let at = prefix; at > 0; at = this.parents[at])
            phones.push(this.prior.ngram.phones[this.symbols[at]]);
        return phones.reverse();
    }
    weighted(log) { return this.prior.weight ? this.prior.weight * log : 0; }
}
/** The phones that are best over all their alignments to log posteriors [frames, classes]; `beam` prefixes are kept. */
function bestPhones(scores, classes, beam, prior) {
    const tree = new Prefixes(prior);
    const columns = prior.ngram.phones.length + 1;
    const phone = new Float64Array(beam * columns);
    let kept = { prefixes: [0], blank: [0], phone: [-Infinity] };
    for (let first = 0; first < scores.length; first += classes) {
        const blank = extend(kept, tree, prior.ngram.phones, scores.subarray(first, first + classes), phone);
        merge(kept.prefixes, tree, phone, columns);
        kept = keep(kept, tree, blank, phone, columns, beam);
    }
    return bestSequence(kept, tree);
}
/** Fills `phone` with the logs, one frame later, of each prefix as it is (column 0) and with each symbol added, ending in
 * the last phone; returns those of each that ends in a blank. */
function extend(kept, tree, phones, frame, phone) {
    const columns = phones.length + 1;
    return kept.prefixes.map((prefix, slot) => {
        const [endsBlank, endsPhone] = [kept.blank[slot], kept.phone[slot]];
        const total = logAdd(endsBlank, endsPhone);
        const last = prefix ? phones[tree.symbols[prefix]] : -1;
        phone[slot * columns] = prefix ? endsPhone + frame[last + 1] : -Infinity;
        for (let symbol = 0; symbol < phones.length; symbol++) {
            // Directly after itself a phone is the same one: a second needs a blank between.
            phone[slot * columns + 1 + symbol] = (phones[symbol] === last ? endsBlank : total) + frame[phones[symbol] + 1];
        }
        return total + frame[0];
    });
}
/** Where a longer prefix is itself kept, moves what leads to it there from the prefix that it extends. */
function merge(prefixes, tree, phone, columns) {
    prefixes.forEach((prefix, slot) => (tree.slots[prefix] = slot));
    prefixes.forEach((prefix, slot) => {
        for (const [symbol, child] of tree.children[prefix]) {
            const place = tree.slots[child];
            if (place < 0)
                continue;
            const from = slot * columns + symbol + 1;
            phone[place * columns] = logAdd(phone[place * columns], phone[from]);
            phone[from] = -Infinity;
        }
    });
    for (const prefix of prefixes)
        tree.slots[prefix] = -1;
}
/** The best `beam` of the prefixes and those that are one symbol longer, in their order. */
function keep(kept, tree, blank, phone, columns, beam) {
    const unchanged = kept.prefixes.map((prefix, slot) => tree.language[prefix] + logAdd(blank[slot], phone[slot * columns]));
    // Where unchanged prefixes fill the beam, what is worse than all of them cannot survive.
    const least = kept.prefixes.length === beam ? Math.min(...unchanged) : -Infinity;
    const scores = [], places = [];
    kept.prefixes.forEach((prefix, slot) => {
        for (let column = 0; column < columns; column++) {
            const score = column === 0 ? unchanged[slot]
                : tree.language[prefix] + tree.added(tree.histories[prefix], column - 1) + phone[slot * columns + column];
            if (score < least || score === -Infinity)
                continue;
            scores.push(score);
            places.push(slot * columns + column);
        }
    });
    const after = { prefixes: [], blank: [], phone: [] };
    for (const candidate of highest(scores, beam)) {
        const place = places[candidate], slot = Math.floor(place / columns), column = place % columns;
        const prefix = kept.prefixes[slot];
        after.prefixes.push(column ? tree.longer(prefix, column - 1) : prefix);
        after.blank.push(column ? -Infinity : blank[slot]);
        after.phone.push(phone[place]);
    }
    return after;
}
/** The indices of the `count` highest, or of all, in their order; among equal ones the first win. */
function highest(scores, count) {
    const threshold = Float64Array.from(scores).sort()[Math.max(0, scores.length - count)];
    let equal = count - scores.filter((score) => score > threshold).length;
    const found = [];
    scores.forEach((score, at) => {
        if (score > threshold || (score === threshold && equal-- > 0))
            found.push(at);
    });
    return found;
}
/** Prefixes of other symbols that are the same phones count as one. */
function bestSequence(kept, tree) {
    const sums = new Map();
    kept.prefixes.forEach((prefix, slot) => {
        const phones = tree.phonesOf(prefix), name = phones.join();
        const score = logAdd(kept.blank[slot], kept.phone[slot]) + tree.ended(prefix);
        sums.set(name, { phones, score: logAdd(sums.get(name)?.score ?? -Infinity, score) });
    });
    let best = { phones: [], score: -Infinity };
    for (const each of sums.values())
        if (each.score > best.score)
            best = each;
    return best.phones;
}
/** log(exp(one) + exp(other)) */
function logAdd(one, other) {
    if (one === -Infinity || other === -Infinity)
        return Math.max(one, other);
    return Math.max(one, other) + Math.log1p(Math.exp(-Math.abs(one - other)));
}
// The states that known phones allow, in order: asr/alignment/graph.py, for HMMs.
/** States, numbered so that a path never goes back. */
class AlignmentGraph {
    constructor(items, hmm) {
        this.hmm = hmm;
        this.classes = [];
        this.phones = [];
        /** The occurrence of a phone that each state belongs to; they count up along a path. */
        this.units = [];
        this.items = [];
        /** Whether a path may begin in a state. */
        this.starts = [];
        /** The other states from which each is entered, and at what cost. */
        this.moves = [];
        this.unit = -1;
        let frontier = { starts: true, costs: new Map() };
        items.forEach((item, number) => {
            const after = new Map(item.phones.flatMap((phone) => [...this.enter(phone, number, frontier)]));
            if (item.optional)
                frontier.costs.forEach((cost, state) => after.set(state, cost));
            frontier = { starts: frontier.starts && item.optional, costs: after };
        });
        this.finals = frontier.costs;
        this.shortest = hmm.states * items.filter((item) => !item.optional).length;
    }
    enter(phone, item, before) {
        this.unit++;
        let { starts, costs } = before;
        for (let label = phone * this.hmm.states; label < (phone + 1) * this.hmm.states; label++) {
            this.moves.push([...costs].map(([source, cost]) => ({ source, cost })));
            this.starts.push(starts);
            this.phones.push(phone);
            this.units.push(this.unit);
            this.items.push(item);
            costs = new Map([[this.classes.push(label) - 1, this.hmm.leave[label]]]);
            starts = false;
        }
        return costs;
    }
}
/** The state of each frame on the best path for `scores` [frames, classes]: asr/alignment/viterbi.py. */
function bestStates(graph, hmm, scores, classes) {
    const frames = scores.length / classes, states = graph.classes.length;
    const back = new Uint8Array(frames * states);
    const best = Float64Array.from(graph.starts, (starts) => (starts ? 0 : -Infinity));
    for (let frame = 0; frame < frames; frame++) {
        for (let state = states - 1; state >= 0; state--) {
            const label = graph.classes[state];
            let reached = best[state] - (frame ? hmm.stay[label] : 0), number = 0;
            if (frame) {
                graph.moves[state].forEach(({ source, cost }, move) => {
                    const moved = best[source] - cost;
                    if (moved > reached)
                        [reached, number] = [moved, move + 1];
                });
            }
            best[state] = reached + scores[frame * classes + label];
            back[frame * states + state] = number;
        }
    }
    let state = -1, most = -Infinity;
    graph.finals.forEach((cost, final) => {
        if (best[final] - cost > most)
            [state, most] = [final, best[final] - cost];
    });
    const path = new Array(frames);
    for (let frame = frames - 1; frame >= 0; frame--) {
        path[frame] = state;
        const number = back[frame * states + state];
        if (number)
            state = graph.moves[state][number - 1].source;
    }
    return path;
}
// Where each boundary most probably is, finer than a frame: asr/alignment/posterior.py, for HMMs.
/** The factor of the acoustic scores, and how many states around the best path are considered in each frame. */
const BOUNDARY_SCALE = Math.fround(0.2), BAND = 256;
/** The medians, in frames, of the beginnings of known phones and of the end of the last; `firsts` are the frames in which
 * each begins on the best path through `scores` [frames, classes]. */
function boundaries(phones, firsts, hmm, scores, classes) {
    const frames = scores.length / classes;
    const labels = phones.flatMap((phone) => Array.from({ length: hmm.states }, (_, state) => phone * hmm.states + state));
    const width = Math.min(BAND, labels.length);
    const lowest = new Int32Array(frames);
    for (let frame = 0, phone = 0; frame < frames; frame++) {
        while (phone + 1 < firsts.length && firsts[phone + 1] <= frame)
            phone++;
        lowest[frame] = Math.max(0, Math.min(labels.length - width, phone * hmm.states - Math.floor(width / 2)));
    }
    const passed = passedStates(labels, lowest, width, hmm, scores, classes);
    const edges = [0];
    for (let phone = 1; phone < phones.length; phone++) {
        const edge = median(passed, lowest, width, phone * hmm.states - 1);
        edges.push(Math.min(frames, Math.max(edge, edges[phone - 1])));
    }
    return [...edges, frames];
}
/** The probability [frames, width] of being, in each frame, at a state of the band or before it. Every path leaves each
 * state once, so the costs of leaving change nothing. */
function passedStates(labels, lowest, width, hmm, scores, classes) {
    const frames = lowest.length, last = labels.length - 1;
    const emission = (frame, state) => Math.fround(BOUNDARY_SCALE * scores[frame * classes + labels[state]]);
    const forward = new Float64Array(frames * width).fill(-Infinity);
    const backward = new Float64Array(frames * width).fill(-Infinity);
    const at = (sums, frame, state) => {
        const column = state - lowest[frame];
        return column < 0 || column >= width ? -Infinity : sums[frame * width + column];
    };
    const stay = (state) => -hmm.stay[labels[state]];
    if (lowest[0] === 0)
        forward[0] = emission(0, 0);
    for (let frame = 1; frame < frames; frame++) {
        for (let state = lowest[frame]; state < lowest[frame] + width; state++) {
            const reached = logAdd(at(forward, frame - 1, state) + stay(state), at(forward, frame - 1, state - 1));
            forward[frame * width + state - lowest[frame]] = reached + emission(frame, state);
        }
    }
    backward[frames * width - 1] = 0;
    for (let frame = frames - 2; frame >= 0; frame--) {
        const arrived = (state) => (state > last ? -Infinity : at(backward, frame + 1, state) + emission(frame + 1, state));
        for (let state = lowest[frame]; state < lowest[frame] + width; state++) {
            backward[frame * width + state - lowest[frame]] = logAdd(arrived(state) + stay(state), arrived(state + 1));
        }
    }
    for (let frame = 0; frame < frames; frame++) {
        const row = forward.subarray(frame * width, (frame + 1) * width);
        let most = -Infinity, sum = 0;
        row.forEach((value, column) => (most = Math.max(most, row[column] = value + backward[frame * width + column])));
        row.forEach((value, column) => (sum += row[column] = Math.exp(value - most)));
        let before = 0;
        row.forEach((value, column) => (before = row[column] = before + value / sum));
    }
    return forward;
}
/** When the probability of being at a state or before it, which falls from 1 to 0, is a half; linear between the middles of
 * frames. */
function median(passed, lowest, width, state) {
    let frame = 0;
    while (frame < lowest.length && lowest[frame] < state - width + 2)
        frame++;
    let above = 1;
    for (; frame < lowest.length && lowest[frame] <= state; frame++) {
        const below = Math.min(above, passed[frame * width + state - lowest[frame]]);
        if (below < 0.5)
            return frame - 0.5 + (above - 0.5) / (above - below);
        above = below;
    }
    return frame - 0.5 + (above - 0.5) / above;
}
// The times of recognised phones, from the second output of a model: asr/alignment/timing.py.
/** Seconds of a phone that is squeezed in at the end of the audio. */
const SHORTEST_PHONE = 0.001;
/** The begin and end in seconds of each phone, which are aligned to `scores` [frames, classes]; null where they do not fit. */
function phoneTimes(phones, timing, scores, classes, duration) {
    const frames = scores.length / classes;
    const items = withSilences(phones, timing.silences);
    const graph = new AlignmentGraph(items, timing);
    if (!phones.length || frames < graph.shortest)
        return null;
    const path = bestStates(graph, timing, scores, classes);
    const firsts = path.map((_, frame) => frame).filter((frame) => !frame || graph.units[path[frame]] !== graph.units[path[frame - 1]]);
    const found = firsts.map((frame) => path[frame]);
    const edges = boundaries(found.map((state) => graph.phones[state]), firsts, timing, scores, classes)
        .map((frame) => Math.min(duration, Math.max(0, timing.offset + timing.shift * frame)));
    [edges[0], edges[found.length]] = [0, duration];
    const inside = edges.map((edge, at) => Math.max(0, Math.min(edge, duration - SHORTEST_PHONE * (found.length - at))));
    return found.flatMap((state, at) => items[graph.items[state]].optional ? [] : [[inside[at], inside[at + 1]]]);
}
/** The phones, with an optional silence between any two that are none. */
function withSilences(phones, silences) {
    const optional = silences.length ? [{ phones: silences, optional: true }] : [];
    const items = [];
    let afterSpeech = true;
    for (const phone of phones) {
        const speech = !silences.includes(phone);
        if (speech && afterSpeech)
            items.push(...optional);
        items.push({ phones: [phone], optional: false });
        afterSpeech = speech;
    }
    return afterSpeech ? [...items, ...optional] : items;
}
// Runs the model in onnxruntime-web and searches the best phones.
importScripts("ort.wasm.min.js");
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", location.href).href;
async function loadSession() {
    ort.env.wasm.wasmBinary = await unpacked("ort-wasm-simd-threaded.wasm.gz");
    return ort.InferenceSession.create("model.onnx", { executionProviders: ["wasm"] });
}
async function loadDecoder() {
    const decoder = (await (await fetch("decoder.json")).json());
    return [decoder, await searchOf(decoder)];
}
async function searchOf(decoder) {
    if (decoder.search === "greedy")
        return greedy;
    if (decoder.search === "graph") {
        return (scores, classes) => bestPath(decoder.graph, scores, classes, decoder.scale, decoder.beam);
    }
    const lines = new TextDecoder().decode(await unpacked("lm.arpa.gz")).split("\n");
    const prior = { ngram: new Ngram(lines, decoder.phones, decoder.wordStart), weight: decoder.weight, penalty: decoder.penalty };
    return (scores, classes) => forcedPath(scores, classes, bestPhones(scores, classes, decoder.prefixes, prior));
}
/** A file's content, which some web servers unpack themselves. */
async function unpacked(name) {
    const response = await fetch(name);
    if (!response.ok)
        throw new Error(`${name}: ${response.status}`);
    const content = await response.arrayBuffer();
    const [first, second] = new Uint8Array(content);
    if (first !== 0x1f || second !== 0x8b)
        return content;
    return new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
const loaded = Promise.all([loadSession(), loadDecoder()]);
loaded.catch(() => undefined);
async function recognised(samples) {
    const [session, [decoder, search]] = await loaded;
    if (samples.length < decoder.shortest)
        throw new Error("the recording is shorter than one frame (25 ms)");
    const outputs = await session.run({
        waveforms: new ort.Tensor("float32", samples, [1, samples.length]),
        lengths: new ort.Tensor("int64", BigInt64Array.from([BigInt(samples.length)]), [1]),
    });
    const duration = rounded(samples.length / decoder.sampleRate);
    const spans = search(...scaled(outputs, "log_posteriors", "frames", decoder.offsets));
    const time = (frame) => Math.min(duration, Math.max(0, decoder.offset + frame * decoder.shift));
    const times = decoder.timing && phoneTimes(spans.map(({ phone }) => phone), decoder.timing, ...scaled(outputs, "timing_log_posteriors", "timing_frames", decoder.timing.offsets), duration);
    const phones = spans.map(({ phone, first, end }, at) => {
        const [from, to] = times ? times[at] : [time(first), time(end)];
        return { phone: decoder.phones[phone], start: rounded(from), end: rounded(to) };
    });
    return { phones, duration };
}
/** The scaled likelihoods [frames, classes] of an output, and its classes. */
function scaled(outputs, name, length, offsets) {
    const posteriors = outputs[name]?.data;
    const frames = Number((outputs[length]?.data)[0]);
    const scores = posteriors.slice(0, frames * offsets.length);
    for (let at = 0; at < scores.length; at++)
        scores[at] -= offsets[at % offsets.length];
    return [scores, offsets.length];
}
function rounded(seconds) {
    return Math.round(seconds * 10_000) / 10_000;
}
let last = Promise.resolve();
onmessage = (event) => {
    const { id, samples } = event.data;
    last = last.then(() => recognised(samples)).then((found) => postMessage({ id, ...found }), (error) => postMessage({ id, error: error instanceof Error ? error.message : String(error) }));
};
