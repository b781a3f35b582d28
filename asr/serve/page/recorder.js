"use strict";
// An audio worklet that hands on what the microphone gives, in pieces of a tenth of a second.
const LENGTH = Math.round(sampleRate / 10);
class Recorder extends AudioWorkletProcessor {
    constructor() {
        super(...arguments);
        this.piece = new Float32Array(LENGTH);
        this.filled = 0;
    }
    process(inputs) {
        const samples = inputs[0]?.[0] ?? [];
        for (const value of samples) {
            this.piece[this.filled++] = value;
            if (this.filled < LENGTH)
                continue;
            this.port.postMessage(this.piece, [this.piece.buffer]);
            this.piece = new Float32Array(LENGTH);
            this.filled = 0;
        }
        return true;
    }
}
registerProcessor("recorder", Recorder);
