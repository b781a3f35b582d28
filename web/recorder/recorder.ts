// An audio worklet that hands on what the microphone gives, in pieces of a tenth of a second.

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const LENGTH = Math.round(sampleRate / 10);

class Recorder extends AudioWorkletProcessor {
  private piece = new Float32Array(LENGTH);
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const samples = inputs[0]?.[0] ?? [];
    for (const value of samples) {
      this.piece[this.filled++] = value;
      if (this.filled < LENGTH) continue;
      this.port.postMessage(this.piece, [this.piece.buffer]);
      this.piece = new Float32Array(LENGTH);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
