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
// Runs the model in onnxruntime-web and searches the best phones.
importScripts("ort.wasm.min.js");
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", location.href).href;
const loaded = Promise.all([
    ort.InferenceSession.create("model.onnx", { executionProviders: ["wasm"] }),
    fetch("decoder.json").then((response) => response.json()),
]);
loaded.catch(() => undefined);
async function recognised(samples) {
    const [session, decoder] = await loaded;
    if (samples.length < decoder.shortest)
        throw new Error("the recording is shorter than one frame (25 ms)");
    const outputs = await session.run({
        waveforms: new ort.Tensor("float32", samples, [1, samples.length]),
        lengths: new ort.Tensor("int64", BigInt64Array.from([BigInt(samples.length)]), [1]),
    });
    const posteriors = outputs["log_posteriors"];
    const frames = Number((outputs["frames"]?.data)[0]);
    const classes = posteriors?.dims[2] ?? 0;
    const scores = (posteriors?.data).slice(0, frames * classes);
    for (let at = 0; at < scores.length; at++)
        scores[at] -= decoder.offsets[at % classes];
    const duration = rounded(samples.length / decoder.sampleRate);
    const time = (frame) => rounded(Math.min(duration, Math.max(0, decoder.offset + frame * decoder.shift)));
    const phones = bestPath(decoder.graph, scores, classes, decoder.scale, decoder.beam).map(({ phone, first, end }) => ({ phone: decoder.phones[phone], start: time(first), end: time(end) }));
    return { phones, duration };
}
function rounded(seconds) {
    return Math.round(seconds * 10_000) / 10_000;
}
let last = Promise.resolve();
onmessage = (event) => {
    const { id, samples } = event.data;
    last = last.then(() => recognised(samples)).then((found) => postMessage({ id, ...found }), (error) => postMessage({ id, error: error instanceof Error ? error.message : String(error) }));
};
