"use strict";
// An audio worklet that hands on what the microphone gives, in pieces of a tenth of a second.
class Recorder extends AudioWorkletProcessor {
    constructor() {
        super(...arguments);
        this.piece = new Float32Array(Math.round(sampleRate / 10));
        this.filled = 0;
    }
    process(inputs) {
        const samples = inputs[0]?.[0] ?? [];
        for (const value of samples) {
            this.piece[this.filled++] = value;
            if (this.filled < this.piece.length)
                continue;
            this.port.postMessage(this.piece, [this.piece.buffer]);
            this.piece = new Float32Array(this.piece.length);
            this.filled = 0;
        }
        return true;
    }
}
registerProcessor("recorder", Recorder);
