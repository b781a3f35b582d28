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
/** The best path for `scale` x `scores` [frames, classes]. */
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
    const phones = [], classes = [];
    for (const arc of arcs.reverse()) {
        const phone = arc >= 0 ? graph.phones[arc] : graph.freePhones[-1 - arc];
        if (phone >= 0) {
            const before = phones[phones.length - 1];
            if (before)
                before.end = classes.length;
            phones.push({ phone, first: classes.length, end: frames });
        }
        if (arc >= 0)
            classes.push(graph.labels[arc]);
    }
    return { phones, classes };
}
// The states that a known transcript allows, in order: asr/alignment/graph.py.
const NO_PHONE = -1, START = -1, BLANK = 0;
/** States, numbered so that a path never goes back. */
class AlignmentGraph {
    constructor(transcript, model) {
        this.model = model;
        this.classes = [];
        /** The phone of each state, NO_PHONE for a blank. */
        this.phones = [];
        /** The occurrence of a phone that each state belongs to, NO_PHONE for a blank; they count up along a path. */
        this.units = [];
        /** The item that each state comes from. */
        this.items = [];
        /** Whether a path may begin in a state. */
        this.starts = [];
        /** The cost of staying in each state, and the other states from which it is entered, each with its cost. */
        this.stay = [];
        this.sources = [];
        this.costs = [];
        this.unit = NO_PHONE;
        let frontier = new Map([[START, 0]]);
        if (model.topology === "ctc")
            frontier.set(this.add(BLANK, NO_PHONE, 0, frontier, 0), 0);
        transcript.forEach((item, number) => (frontier = this.follow([item], frontier, number)));
        frontier.delete(START);
        this.finals = frontier;
    }
    follow(items, frontier, number) {
        for (const item of items) {
            if (typeof item === "number") {
                this.unit++;
                frontier = this.model.topology === "ctc" ? this.enterCtc(item, number, frontier) : this.enterHmm(item, number, frontier);
            }
            else {
                const before = frontier;
                frontier = new Map(item.flatMap((sequence) => [...this.follow(sequence, before, number)]));
            }
        }
        return frontier;
    }
    enterHmm(phone, item, before) {
        const { states, stay, leave } = this.model;
        for (let label = phone * states; label < (phone + 1) * states; label++) {
            before = new Map([[this.add(label, phone, item, before, stay[label]), leave[label]]]);
        }
        return before;
    }
    /** Blanks may be skipped, except between two equal phones. */
    enterCtc(phone, item, before) {
        const apart = new Map([...before].filter(([source]) => source === START || this.phones[source] !== phone));
        const state = this.add(phone + 1, phone, item, apart, 0);
        return new Map([[state, 0], [this.add(BLANK, NO_PHONE, item, new Map([[state, 0]]), 0), 0]]);
    }
    add(label, phone, item, before, stay) {
        const sources = [...before.keys()].filter((source) => source !== START);
        this.phones.push(phone);
        this.units.push(phone === NO_PHONE ? NO_PHONE : this.unit);
        this.items.push(item);
        this.starts.push(before.has(START));
        this.stay.push(stay);
        this.sources.push(sources);
        this.costs.push(sources.map((source) => before.get(source)));
        return this.classes.push(label) - 1;
    }
}
// The best path of log scores through an alignment graph: asr/alignment/viterbi.py.
/** Moves into one state that a byte can tell apart. */
const MOST_MOVES = 255;
/** A transcript that does not fit its audio. */
class Unfit extends Error {
}
/** The state of each frame on the best path for `scores` [frames, classes]. Throws Unfit where there is none. */
function bestStates(graph, scores, classes) {
    const frames = scores.length / classes, states = graph.classes.length;
    if (graph.sources.some((sources) => sources.length > MOST_MOVES)) {
        throw new Unfit("the words have too many pronunciations to align at once; cut the audio into parts");
    }
    const back = new Uint8Array(frames * states);
    const best = Float64Array.from(graph.starts, (starts) => (starts ? 0 : -Infinity));
    for (let frame = 0; frame < frames; frame++) {
        for (let state = states - 1; state >= 0; state--) {
            let reached = best[state], number = 0;
            if (frame) {
                const sources = graph.sources[state], costs = graph.costs[state];
                reached -= graph.stay[state];
                for (let move = 0; move < sources.length; move++) {
                    const moved = best[sources[move]] - costs[move];
                    if (moved > reached)
                        [reached, number] = [moved, move + 1];
                }
            }
            best[state] = reached + scores[frame * classes + graph.classes[state]];
            back[frame * states + state] = number;
        }
    }
    let state = -1, most = -Infinity;
    for (const [final, cost] of [...graph.finals].sort(([one], [other]) => one - other)) {
        if (best[final] - cost > most)
            [state, most] = [final, best[final] - cost];
    }
    if (state < 0)
        throw new Unfit(`${frames} frames are too few for its phones; is this what was said?`);
    const path = new Array(frames);
    for (let frame = frames - 1; frame >= 0; frame--) {
        path[frame] = state;
        const number = back[frame * states + state];
        if (number)
            state = graph.sources[state][number - 1];
    }
    return path;
}
// From CTC's frames to phones: asr/decoding/search/greedy.py, collapse.py and forced_path.py.
const CTC = { topology: "ctc", states: 1, stay: [], leave: [], offsets: [] };
/** The best class of each frame. */
function bestClasses(scores, classes) {
    const best = [];
    for (let first = 0; first < scores.length; first += classes) {
        let label = 0;
        for (let other = 1; other < classes; other++)
            if (scores[first + other] > scores[first + label])
                label = other;
        best.push(label);
    }
    return best;
}
function greedy(scores, classes) {
    return collapsed(bestClasses(scores, classes));
}
/** A run of one class is one phone, blanks are none; a phone lasts until the next begins. */
function collapsed(classes) {
    const phones = [];
    classes.forEach((label, frame) => {
        if (label === BLANK || label === (classes[frame - 1] ?? BLANK))
            return;
        const before = phones[phones.length - 1];
        if (before)
            before.end = frame;
        phones.push({ phone: label - 1, first: frame, end: classes.length });
    });
    return { phones, classes };
}
/** The best path of known phones. */
function forcedPath(scores, classes, phones) {
    const graph = new AlignmentGraph(phones, CTC);
    return collapsed(bestStates(graph, scores, classes).map((state) => graph.classes[state]));
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
// Posteriors of classes over all paths through a decoding graph: asr/decoding/lattice/posteriors.py.
/** Frames whose forward probabilities are in memory at a time. */
const BLOCK = 512;
class GraphPosteriors {
    /** A path weighs exp(-posteriorScale x cost); states below exp(-beam) of the best of their frame are left out. */
    constructor(graph, classes, acousticScale, posteriorScale, beam) {
        this.graph = graph;
        this.classes = classes;
        this.scale = posteriorScale * acousticScale;
        this.least = Math.exp(-beam);
        this.arcs = weightedArcs(graph, posteriorScale);
        this.likelihoods = new Float64Array(classes);
    }
    /** The probability [frames, classes] that each frame is of each class, from log scores [frames, classes]. */
    of(scores) {
        const frames = scores.length / this.classes, { states } = this.graph;
        const posteriors = new Float32Array(scores.length);
        const forward = Array.from({ length: Math.min(BLOCK, frames) + 1 }, () => new Float64Array(states));
        const starts = this.blockStarts(scores, forward);
        let backward = this.ends(starts[starts.length - 1]);
        for (let block = starts.length - 2; block >= 0; block--) {
            const begin = BLOCK * block, end = Math.min(BLOCK * (block + 1), frames);
            if (end < frames) { // the last block's are still there
                forward[0].set(starts[block]);
                this.forward(scores, begin, end, forward);
            }
            for (let frame = end - 1; frame >= begin; frame--) {
                backward = this.backward(scores, frame, forward[frame - begin], backward, posteriors);
            }
        }
        return posteriors;
    }
    /** The forward probabilities before each block's first frame, and after the last frame of all. */
    blockStarts(scores, forward) {
        const frames = scores.length / this.classes, start = new Float64Array(this.graph.states);
        start[this.graph.start] = 1;
        this.followFree(start);
        const starts = [start];
        for (let begin = 0; begin < frames; begin += BLOCK) {
            const end = Math.min(begin + BLOCK, frames);
            forward[0].set(starts[starts.length - 1]);
            this.forward(scores, begin, end, forward);
            starts.push(forward[end - begin].slice());
        }
        return starts;
    }
    /** The probability of ending from each state; 1 everywhere where no path ends in a final state. */
    ends(last) {
        const ends = this.arcs.finals.slice();
        this.followFreeBack(ends);
        return last.some((probability, state) => probability * ends[state] > 0) ? ends : ends.fill(1);
    }
    forward(scores, begin, end, forward) {
        const { first, targets, labels, weights } = this.arcs;
        for (let frame = begin; frame < end; frame++) {
            this.scaledLikelihoods(scores, frame);
            const before = forward[frame - begin], after = forward[frame - begin + 1].fill(0);
            for (let state = 0; state < before.length; state++) {
                const probability = before[state];
                if (probability === 0)
                    continue;
                for (let arc = first[state]; arc < first[state + 1]; arc++) {
                    after[targets[arc]] += probability * weights[arc] * this.likelihoods[labels[arc]];
                }
            }
            this.followFree(after);
            let total = 0, most = 0;
            for (const probability of after) {
                total += probability;
                if (probability > most)
                    most = probability;
            }
            if (total === 0)
                throw new Error("no path keeps a probability above 0 under these scores; check the audio");
            for (let state = 0; state < after.length; state++) {
                after[state] = after[state] >= most * this.least ? after[state] / total : 0;
            }
        }
    }
    /** Brings the backward probabilities from after a frame to before it, and fills its posteriors. */
    backward(scores, frame, forward, backward, posteriors) {
        const { first, targets, labels, weights } = this.arcs;
        this.scaledLikelihoods(scores, frame);
        const earlier = new Float64Array(backward.length), occupancies = new Float64Array(this.classes);
        for (let state = 0; state < earlier.length; state++) {
            const before = forward[state];
            if (before === 0)
                continue;
            let sum = 0;
            for (let arc = first[state]; arc < first[state + 1]; arc++) {
                const label = labels[arc];
                const weight = weights[arc] * this.likelihoods[label] * backward[targets[arc]];
                sum += weight;
                occupancies[label] += before * weight;
            }
            earlier[state] = sum;
        }
        this.followFreeBack(earlier);
        let total = 0, most = 0;
        for (const occupancy of occupancies)
            total += occupancy;
        for (const probability of earlier)
            if (probability > most)
                most = probability;
        if (total === 0)
            throw new Error("no path keeps a probability above 0 under these scores; check the audio");
        for (let label = 0; label < this.classes; label++)
            posteriors[frame * this.classes + label] = occupancies[label] / total;
        for (let state = 0; state < earlier.length; state++)
            earlier[state] /= most;
        return earlier;
    }
    followFree(forward) {
        const { freeSources, freeTargets } = this.graph;
        for (let arc = 0; arc < freeSources.length; arc++) {
            forward[freeTargets[arc]] += forward[freeSources[arc]] * this.arcs.free[arc];
        }
    }
    followFreeBack(backward) {
        const { freeSources, freeTargets } = this.graph;
        for (let arc = freeSources.length - 1; arc >= 0; arc--) {
            backward[freeSources[arc]] += this.arcs.free[arc] * backward[freeTargets[arc]];
        }
    }
    /** exp(scale x scores), scaled so that the highest is 1. */
    scaledLikelihoods(scores, frame) {
        const first = frame * this.classes;
        let most = -Infinity;
        for (let label = 0; label < this.classes; label++)
            most = Math.max(most, scores[first + label]);
        for (let label = 0; label < this.classes; label++) {
            this.likelihoods[label] = Math.exp(this.scale * (scores[first + label] - most));
        }
    }
}
function weightedArcs(graph, scale) {
    const count = graph.sources.length, first = new Int32Array(graph.states + 1);
    for (const source of graph.sources)
        first[source + 1]++;
    for (let state = 0; state < graph.states; state++)
        first[state + 1] += first[state];
    const next = first.slice();
    const [targets, labels, weights] = [new Int32Array(count), new Int32Array(count), new Float64Array(count)];
    for (let state = 0; state < graph.states; state++) {
        for (let arc = graph.first[state]; arc < graph.first[state + 1]; arc++) {
            const place = next[graph.sources[arc]]++;
            targets[place] = state;
            labels[place] = graph.labels[arc];
            weights[place] = Math.exp(-scale * graph.costs[arc]);
        }
    }
    const weight = (cost) => (cost === null ? 0 : Math.exp(-scale * cost));
    return {
        first, targets, labels, weights,
        free: Float64Array.from(graph.freeCosts, weight), finals: Float64Array.from(graph.finals, weight),
    };
}
// A confidence for each recognised phone: asr/decoding/confidence.py.
function judgeOf(confidences, graph) {
    const { acousticScale, posteriorScale, beam, groups, classPhones } = confidences;
    const posteriors = new GraphPosteriors(graph, classPhones.length, acousticScale, posteriorScale, beam);
    const groupOf = classPhones.map((phone) => (phone < 0 ? -1 : groups[phone]));
    return ({ phones, classes }, scores) => {
        if (!phones.length)
            return [];
        const found = posteriors.of(scores);
        return phones.map(({ phone, first, end }) => {
            const group = groups[phone];
            let sum = 0, frames = 0;
            for (let frame = first; frame < end; frame++) {
                if (groupOf[classes[frame]] !== group)
                    continue;
                frames++;
                groupOf.forEach((each, label) => { if (each === group)
                    sum += found[frame * groupOf.length + label]; });
            }
            return recalibrated(Math.min(1, sum / frames), confidences);
        });
    };
}
function recalibrated(posterior, { slope, offset, certainty }) {
    const sure = Math.min(1 - certainty, Math.max(certainty, posterior));
    return 1 / (1 + Math.exp(-(offset + slope * (Math.log(sure) - Math.log1p(-sure)))));
}
// Where each boundary most probably is, finer than a frame: asr/alignment/posterior.py.
/** The factor of the acoustic scores, how many states around the best path are considered in each frame, and the
 * probabilities of being before a boundary at its median and at the ends of its interval. */
const BOUNDARY_SCALE = Math.fround(0.2), BAND = 256, LEVELS = [0.5, 0.975, 0.025];
/** The medians, lows and highs, in frames, of the beginnings of known phones and of the end of the last, for a graph
 * without choices; `firsts` are the frames in which each begins on the best path through `scores` [frames, classes]. */
function boundaries(graph, firsts, scores, classes) {
    const frames = scores.length / classes;
    const { units } = graph;
    const states = units.map((_, state) => state).filter((state) => units[state] !== NO_PHONE);
    const first = states.filter((state) => units[state] !== units[state - 1]);
    const last = states.filter((state) => units[state] !== units[state + 1]);
    const band = bandAround(first, firsts, frames, units.length);
    const passed = passedStates(graph, band, scores, classes);
    return LEVELS.map((level) => {
        const begins = first.map((state) => crossing(passed, band, state - 1, level));
        const ends = last.map((state) => crossing(passed, band, state, level));
        let reached = 0;
        return [...begins, 0].map((begin, phone) => {
            const end = ends[phone - 1];
            const edge = end === undefined ? begin : phone === begins.length ? end : (end + begin) / 2;
            return (reached = Math.max(reached, Math.min(frames, Math.max(0, edge))));
        });
    });
}
function bandAround(first, firsts, frames, states) {
    const width = Math.min(BAND, states), lowest = new Int32Array(frames);
    for (let frame = 0, phone = 0; frame < frames; frame++) {
        while (phone + 1 < firsts.length && firsts[phone + 1] <= frame)
            phone++;
        lowest[frame] = Math.max(0, Math.min(states - width, first[phone] - Math.floor(width / 2)));
    }
    return { lowest, width };
}
/** The probability [frames, width] of being, in each frame, at a state of the band or before it. */
function passedStates(graph, { lowest, width }, scores, classes) {
    const frames = lowest.length;
    const emission = (frame, state) => Math.fround(BOUNDARY_SCALE * scores[frame * classes + graph.classes[state]]);
    const forward = new Float64Array(frames * width).fill(-Infinity);
    const backward = new Float64Array(frames * width).fill(-Infinity);
    for (let column = 0; column < width; column++) {
        if (graph.starts[lowest[0] + column])
            forward[column] = emission(0, lowest[0] + column);
        backward[(frames - 1) * width + column] = -(graph.finals.get(lowest[frames - 1] + column) ?? Infinity);
    }
    for (let frame = 1; frame < frames; frame++) {
        const before = (frame - 1) * width - lowest[frame - 1];
        for (let state = lowest[frame]; state < lowest[frame] + width; state++) {
            const inside = (source) => source >= lowest[frame - 1] && source < lowest[frame - 1] + width;
            let reached = inside(state) ? forward[before + state] - graph.stay[state] : -Infinity;
            graph.sources[state].forEach((source, move) => {
                if (inside(source))
                    reached = logAdd(reached, forward[before + source] - graph.costs[state][move]);
            });
            forward[frame * width + state - lowest[frame]] = reached + emission(frame, state);
        }
    }
    for (let frame = frames - 2; frame >= 0; frame--) {
        const now = frame * width - lowest[frame];
        const leave = (source, arrived) => {
            if (source < lowest[frame] || source >= lowest[frame] + width)
                return;
            backward[now + source] = logAdd(backward[now + source], arrived);
        };
        for (let state = lowest[frame + 1]; state < lowest[frame + 1] + width; state++) {
            const arrived = backward[(frame + 1) * width + state - lowest[frame + 1]] + emission(frame + 1, state);
            leave(state, arrived - graph.stay[state]);
            graph.sources[state].forEach((source, move) => leave(source, arrived - graph.costs[state][move]));
        }
    }
    for (let frame = 0; frame < frames; frame++) {
        const row = forward.subarray(frame * width, (frame + 1) * width);
        let most = -Infinity, sum = 0, before = 0;
        row.forEach((value, column) => (most = Math.max(most, row[column] = value + backward[frame * width + column])));
        row.forEach((value, column) => (sum += row[column] = Math.exp(value - most)));
        row.forEach((value, column) => (before = row[column] = before + value / sum));
    }
    return forward;
}
/** When the probability of being at a state or before it, which falls from 1 to 0, crosses a level; linear between the
 * middles of frames. */
function crossing(passed, { lowest, width }, state, level) {
    let frame = 0;
    while (frame < lowest.length && lowest[frame] < state - width + 2)
        frame++;
    let above = 1;
    for (; frame < lowest.length && lowest[frame] <= state; frame++) {
        const below = Math.min(above, passed[frame * width + state - lowest[frame]]);
        if (below < level)
            return frame - 0.5 + (above - level) / (above - below);
        above = below;
    }
    return frame - 0.5 + (above - level) / above;
}
// Known phones in an utterance: asr/alignment/forced_alignment.py.
/** Seconds of a phone that is squeezed in at the end of the audio. */
const SHORTEST_PHONE = 0.001;
/** Throws Unfit where the phones do not fit. */
function forceAlign({ posteriors, scores, classes }, transcript, model) {
    const graph = new AlignmentGraph(transcript, model);
    const path = bestStates(graph, scores, classes);
    const firsts = [], sums = [], lengths = [];
    let unit = NO_PHONE;
    path.forEach((state, frame) => {
        if (graph.units[state] === NO_PHONE)
            return;
        if (graph.units[state] !== unit) {
            unit = graph.units[state];
            firsts.push(frame);
            sums.push(0);
            lengths.push(0);
        }
        sums[sums.length - 1] += posteriors[frame * classes + graph.classes[state]];
        lengths[lengths.length - 1]++;
    });
    const found = firsts.map((frame) => path[frame]);
    const phones = found.map((state) => graph.phones[state]);
    return {
        phones,
        items: found.map((state) => graph.items[state]),
        edges: boundaries(new AlignmentGraph(phones, model), firsts, scores, classes),
        scores: sums.map((sum, at) => Math.min(1, Math.exp(sum / lengths[at]))),
        classes: path.map((state) => graph.classes[state]),
    };
}
/** The medians, lows and highs in seconds. The first and the last phone reach the ends of the audio if `reaching`. */
function boundarySeconds(aligned, times, duration, reaching) {
    const { phones, edges } = aligned, count = phones.length;
    return edges.map((frames) => {
        const seconds = frames.map((frame) => Math.min(duration, Math.max(0, times.offset + times.shift * frame)));
        if (reaching(phones[0]))
            seconds[0] = 0;
        if (reaching(phones[count - 1]))
            seconds[count] = duration;
        return seconds.map((edge, at) => Math.max(0, Math.min(edge, duration - SHORTEST_PHONE * (count - at))));
    });
}
// How well a transcript fits its audio: asr/alignment/fit.py.
const LEAST = 1e-4, QUIET = 0.5;
/** The fit, 0 to 1; undefined without speech. */
function fitOf(posteriors, aligned, model, groups) {
    const { classGroups, quiet } = groups, count = classGroups.length;
    const missed = model.topology === "ctc" ? missedFrames(posteriors, count, aligned.classes) : new Set();
    let nats = 0, frames = 0;
    aligned.classes.forEach((label, frame) => {
        const sums = new Array(quiet.length).fill(0);
        classGroups.forEach((group, other) => (sums[group] += Math.exp(posteriors[frame * count + other])));
        const group = classGroups[label];
        const silent = sums.reduce((sum, each, at) => (quiet[at] ? sum + each : sum), 0);
        if (quiet[group] && silent >= QUIET)
            return;
        const entropy = -sums.reduce((sum, each) => sum + each * Math.log(Math.max(each, LEAST)), 0);
        nats += Math.log(missed.has(frame) ? LEAST : Math.max(sums[group], LEAST)) + entropy;
        frames++;
    });
    return frames ? Math.exp(Math.min(nats / frames, 0)) : undefined;
}
/** The frames in which a CTC model gives a phone where an alignment has only blanks, which it takes for likely. */
function missedFrames(posteriors, count, classes) {
    const missed = new Set();
    const free = bestClasses(posteriors, count);
    let run = [], found = false;
    [...free, BLANK].forEach((label, frame) => {
        if (label !== BLANK) {
            run.push(frame);
            found ||= classes[frame] !== BLANK;
            return;
        }
        if (!found)
            for (const each of run)
                missed.add(each);
        [run, found] = [[], false];
    });
    return missed;
}
// The words of a text as people write it: asr/phones/words.py, without HTML entities; and their pronunciations.
function readLexicon(text) {
    const lexicon = new Map();
    for (const line of text.split("\n")) {
        const space = line.indexOf(" ");
        if (space > 0)
            lexicon.set(line.slice(0, space), line.slice(space + 1));
    }
    return lexicon;
}
/** A word of the lexicon with its pronunciations. A full stop may end an abbreviation (in.) or the sentence (in). */
function entry(word, lexicon) {
    const plain = word.replace(/\.$/, "");
    const names = plain !== word && lexicon.has(plain) ? [plain, word] : [word];
    const said = new Set(names.flatMap((name) => lexicon.get(name)?.split(",") ?? []));
    return [names[0], [...said].map((phones) => phones.split(" "))];
}
const EVENT = "[(*]\\s*(?:laugh(?:s|ing|ter|ed)?|chuckl(?:es?|ing|ed)|giggl(?:es?|ing)|cough(?:s|ing|ed)?|sneez(?:es?|ing)|" +
    "sigh(?:s|ing|ed)?|sniff(?:s|les?|ing)?|breath(?:s|es?|ing)?|inhal(?:es?|ing)|exhal(?:es?|ing)|clears throat|" +
    "noises?|music|applause|clapping|silence|pauses?|crosstalk|inaudible|unintelligible|indistinct)\\s*[)*]";
const BRACKETS = "<(?=\\S)[^<>]*>|\\[[^\\[\\]]*\\]|\\{[^{}]*\\}";
const PIECE = new RegExp(`(${BRACKETS}|${EVENT})|(?:(?!${EVENT})[^\\s<\\[{])+|[<\\[{]`, "g");
/** What aligners write for words that they do not know; somebody says something there. */
const MISSING_WORDS = ["<unk>", "<oov>", "[unk]", "[oov]"];
/** The words of a text in the lexicon's spelling, and those that are not in it. */
function splitWords(text, lexicon) {
    const words = [];
    for (const match of spelling(text).matchAll(PIECE)) {
        const token = match[0], note = match[1] !== undefined;
        if (note && !lexicon.has(token) && !MISSING_WORDS.includes(token))
            continue;
        words.push(...(note ? [token] : wordsOf(token, lexicon)));
    }
    return { words, unknown: words.filter((word) => !lexicon.has(word)) };
}
/** Lower case, one kind of apostrophe, NFKC. */
function spelling(text) {
    return text.replace(/\u200b/g, " ").replace(/[’‘ʼʻ`´′＇]/g, "'").replace(/[\u00ad\u200c\u200d\u2060\ufeff]/g, "")
        .toLowerCase().normalize("NFKC");
}
/** The words of a token; those that are not in the lexicon as the user may look for them. */
function wordsOf(token, lexicon) {
    const bare = bareOf(token);
    if (!bare)
        return [];
    const found = formsOf(token, bare).find((word) => lexicon.has(word));
    if (found !== undefined)
        return [found];
    const parts = hasDigits(bare) ? [] : bare.split(/(?!['&%@#‰])[\p{P}|]/u).filter(bareOf);
    return parts.length > 1 ? parts.flatMap((part) => wordsOf(part, lexicon)) : [bare];
}
/** How the lexicon may have a token, the longest form first. */
function formsOf(token, bare) {
    const start = token.indexOf(bare);
    const before = token[start - 1] ?? "", after = token[start + bare.length] ?? "";
    const lead = before === "'" ? "'" : "", trail = after === "'" || after === "." ? after : "";
    return [token, lead + bare + trail, lead + bare, bare + trail, bare];
}
/** A token without the punctuation around it; a minus before a number stays. */
function bareOf(token) {
    const characters = [...token];
    const outside = (character) => character === "'" || separates(character);
    const start = characters.findIndex((character) => !outside(character));
    if (start < 0)
        return "";
    let end = characters.length;
    while (outside(characters[end - 1]))
        end--;
    const negative = characters[start - 1] === "-" && hasDigits(characters[start]);
    return characters.slice(negative ? start - 1 : start, end).join("");
}
function hasDigits(word) {
    return /\p{N}/u.test(word);
}
/** Whether a character stands between words; the signs that are read out as words do not. */
function separates(character) {
    return !"'&%@#‰".includes(character) && /[\p{P}|]/u.test(character);
}
// What was said, as the items of an alignment graph: asr/alignment/spoken.py.
function optionalSilence(silences) {
    return silences.length ? [[...silences.map((silence) => [silence]), []]] : [];
}
/** Phones and silences as people and other programs write them. */
function spokenPhones(text, known) {
    const phones = new Map(Object.entries(known.symbols));
    const optional = optionalSilence(known.silences);
    const items = [];
    let speech = false, pause = true; // whether the last item is a phone in which somebody speaks, and a pause may follow it
    for (const item of text.split(/\s+/).filter(Boolean).flatMap((symbol) => itemsOf(symbol, known, phones))) {
        if (item === null) {
            pause = true;
            continue;
        }
        const spoken = typeof item === "number" && !known.silences.includes(item);
        if (pause && spoken && (speech || !items.length))
            items.push(...optional);
        items.push(item);
        [speech, pause] = [spoken, false];
    }
    if (!items.length)
        throw new Error("the transcript has no phones");
    if (speech)
        items.push(...optional);
    return { items, words: items.map(() => null) };
}
/** Phones and silences; null for an optional silence. */
function itemsOf(symbol, known, phones) {
    const plain = known.exact ? symbol : symbol.toLowerCase();
    const written = [symbol, ...(known.exact ? [] : [plain, plain.replace(/[0-2]$/, "")])].find((each) => phones.has(each));
    if (written !== undefined) {
        const phone = phones.get(written) ?? null;
        return phone === null ? [] : [phone];
    }
    if (known.silent.includes(plain) && known.silences.length)
        return [known.silences.map((silence) => [silence])];
    if (known.silent.includes(plain) || known.perhapsSilent.includes(plain))
        return [null];
    throw new Error(`unknown phone ${symbol}: the model does not have it`);
}
/** The words of a text, each in any of its pronunciations, with optional silences around them. */
function spokenWords(text, lexicon, known) {
    const { words, unknown } = splitWords(text, lexicon);
    if (unknown.length)
        throw new Error(`not in the lexicon: ${[...new Set(unknown)].join(", ")}; give phones instead of words`);
    if (!words.length)
        throw new Error("the transcript has no words");
    const pause = optionalSilence(known.silences);
    const spoken = { items: [...pause], words: pause.map(() => null) };
    for (const word of words) {
        const [name, pronunciations] = entry(word, lexicon);
        spoken.items.push(pronunciations.map((phones) => phones.map((phone) => known.variants[phone])), ...pause);
        spoken.words.push(name, ...pause.map(() => null));
    }
    return spoken;
}
// The times of recognised phones, from the second output of a model: asr/alignment/timing.py.
/** The begin and end in seconds of each phone; null where they do not fit. */
function phoneTimes(phones, aligning, scored) {
    if (!phones.length)
        return null;
    const items = withSilences(phones, aligning.silences);
    try {
        const aligned = forceAlign(scored, items, aligning);
        const edges = boundarySeconds(aligned, aligning, scored.duration, () => true)[0];
        return aligned.items.flatMap((item, at) => typeof items[item] === "number" ? [[edges[at], edges[at + 1]]] : []);
    }
    catch (error) {
        if (error instanceof Unfit)
            return null;
        throw error;
    }
}
/** The phones, with an optional silence between any two that are none. */
function withSilences(phones, silences) {
    const optional = optionalSilence(silences);
    const items = [];
    let afterSpeech = true;
    for (const phone of phones) {
        const speech = !silences.includes(phone);
        if (speech && afterSpeech)
            items.push(...optional);
        items.push(phone);
        afterSpeech = speech;
    }
    return afterSpeech ? [...items, ...optional] : items;
}
// When the words or phones of a transcript are said: asr/alignment/aligner.py.
function align(spoken, scored, aligning, symbols) {
    const aligned = forceAlign(scored, spoken.items, aligning);
    const reaching = (phone) => aligning.topology === "hmm" || aligning.silences.includes(phone);
    const [middles, lows, highs] = boundarySeconds(aligned, aligning, scored.duration, reaching)
        .map((times) => times.map(rounded));
    const fit = fitOf(scored.posteriors, aligned, aligning, aligning.fit);
    return {
        phones: aligned.phones.map((phone, at) => ({
            phone: symbols[phone], start: middles[at], end: middles[at + 1], score: rounded(aligned.scores[at]),
        })),
        words: wordSegments(aligned.items, spoken.words, middles),
        intervals: lows.slice(1, -1).map((low, at) => [low, highs[at + 1]]),
        ...(fit === undefined ? {} : { fit: rounded(fit) }),
    };
}
/** The words of phones that come from `items`, with the phones' boundaries. */
function wordSegments(items, labels, times) {
    const words = [];
    items.forEach((item, at) => {
        const word = labels[item];
        if (word === null)
            return;
        if (item === items[at - 1])
            words[words.length - 1].end = times[at + 1];
        else
            words.push({ word, start: times[at], end: times[at + 1] });
    });
    return words;
}
/** To the places with which times and scores are written. */
function rounded(value) {
    return Math.round(value * 10_000) / 10_000;
}
// Runs the model in onnxruntime-web and searches the best phones.
async function loadSession({ script, wasm, webgpu }) {
    importScripts(script);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = new URL("./", location.href).href;
    ort.env.wasm.wasmBinary = await unpacked(wasm);
    const gpu = webgpu && (await navigator.gpu?.requestAdapter().catch(() => null));
    const provider = gpu ? "webgpu" : "wasm";
    const session = await ort.InferenceSession.create("model.onnx", {
        executionProviders: [provider], logSeverityLevel: 3, // errors
    });
    postMessage({ runsOn: { webgpu: "WebGPU", wasm: "WebAssembly" }[provider] });
    return session;
}
async function load() {
    const decoder = JSON.parse(await text("decoder.json.gz"));
    const session = loadSession(decoder.runtime);
    const { confidences } = decoder;
    const graph = confidences?.graph ?? (decoder.search === "graph" ? decoder.graph : null);
    const judge = confidences && graph && judgeOf(confidences, graph);
    return { decoder, judge, search: await searchOf(decoder), session: await session };
}
async function searchOf(decoder) {
    if (decoder.search === "greedy")
        return greedy;
    if (decoder.search === "graph") {
        return (scores, classes) => bestPath(decoder.graph, scores, classes, decoder.scale, decoder.beam);
    }
    const lines = (await text("lm.arpa.gz")).split("\n");
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
async function text(name) {
    return new TextDecoder().decode(await unpacked(name));
}
const loaded = load();
loaded.catch(() => undefined);
let lexicon = null;
async function work({ samples, kind, text }) {
    const model = await loaded;
    const { decoder, session } = model;
    if (samples.length < decoder.shortest)
        throw new Error("the recording is shorter than one frame (25 ms)");
    const spoken = kind && text !== undefined ? await spokenOf(kind, text, decoder) : null;
    const outputs = await session.run({
        waveforms: new ort.Tensor("float32", samples, [1, samples.length]),
        lengths: new ort.Tensor("int64", BigInt64Array.from([BigInt(samples.length)]), [1]),
    });
    const duration = rounded(samples.length / decoder.sampleRate);
    const aligned = () => decoder.timed
        ? scored(outputs, "timing_log_posteriors", "timing_frames", decoder.aligning.offsets, duration)
        : scored(outputs, "log_posteriors", "frames", decoder.aligning.offsets, duration);
    if (spoken)
        return { ...align(spoken, aligned(), decoder.aligning, decoder.phones), duration };
    const found = scored(outputs, "log_posteriors", "frames", decoder.offsets, duration);
    return { phones: recognised(found, model, decoder.timed ? aligned() : null), duration };
}
async function spokenOf(kind, said, { aligning }) {
    if (kind === "phones")
        return spokenPhones(said, aligning);
    lexicon ??= text("lexicon.txt.gz").then(readLexicon);
    lexicon.catch(() => (lexicon = null));
    return spokenWords(said, await lexicon, aligning);
}
/** The phones of an utterance, with the times of the second output, if there is one. */
function recognised({ scores, classes, duration }, { decoder, search, judge }, timing) {
    const path = search(scores, classes);
    const confidences = judge && judge(path, scores);
    const times = timing && phoneTimes(path.phones.map(({ phone }) => phone), decoder.aligning, timing);
    const time = (frame) => Math.min(duration, Math.max(0, decoder.offset + frame * decoder.shift));
    return path.phones.map(({ phone, first, end }, at) => {
        const [from, to] = times ? times[at] : [time(first), time(end)];
        return {
            phone: decoder.phones[phone], start: rounded(from), end: rounded(to),
            ...(confidences ? { score: rounded(confidences[at]) } : {}),
        };
    });
}
/** An output's log posteriors and scaled likelihoods. */
function scored(outputs, name, length, offsets, duration) {
    const frames = Number((outputs[length]?.data)[0]), classes = offsets.length;
    const posteriors = (outputs[name]?.data).slice(0, frames * classes);
    const scores = posteriors.map((posterior, at) => posterior - offsets[at % classes]);
    return { posteriors, scores, classes, duration };
}
let last = Promise.resolve();
onmessage = (event) => {
    const { id, ...task } = event.data;
    last = last.then(() => work(task)).then((found) => postMessage({ id, ...found }), (error) => postMessage({ id, error: error instanceof Error ? error.message : String(error) }));
};
