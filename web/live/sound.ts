// Audio files as samples at the model's rate, and samples as WAV files.

/** Decodes what the browser plays. Rejects what it does not. */
async function decode(content: ArrayBuffer, rate: number): Promise<Sound> {
  const plain = readWav(content);
  if (plain && plain.rate === rate) return plain;
  const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(content.slice(0));
  return { samples: mix(buffer), rate: buffer.sampleRate };
}

/** The mean of the channels. */
function mix(buffer: AudioBuffer): Float32Array {
  const mixed = buffer.getChannelData(0).slice();
  for (let channel = 1; channel < buffer.numberOfChannels; channel++) {
    const samples = buffer.getChannelData(channel);
    for (let at = 0; at < mixed.length; at++) mixed[at]! += samples[at]!;
  }
  if (buffer.numberOfChannels > 1) mixed.forEach((value, at) => (mixed[at] = value / buffer.numberOfChannels));
  return mixed;
}

/** The samples of a mono WAV file of 16 bits, exactly as they are; null for any other file. */
function readWav(content: ArrayBuffer): Sound | null {
  const view = new DataView(content);
  const tag = (at: number): string => String.fromCharCode(...new Uint8Array(content, at, 4));
  if (content.byteLength < 44 || tag(0) !== "RIFF" || tag(8) !== "WAVE") return null;
  let rate = 0;
  for (let at = 12; at + 8 <= content.byteLength;) {
    const [name, size] = [tag(at), view.getUint32(at + 4, true)];
    if (name === "fmt " && at + 24 <= content.byteLength) {
      if (view.getUint16(at + 8, true) !== 1 || view.getUint16(at + 10, true) !== 1) return null;
      if (view.getUint16(at + 22, true) !== 16) return null;
      rate = view.getUint32(at + 12, true);
    } else if (name === "data" && rate) {
      if (at + 8 + size > content.byteLength) return null;
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

function joined(pieces: Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

async function resample(sound: Sound, rate: number): Promise<Sound> {
  if (sound.rate === rate || !sound.samples.length) return { samples: sound.samples, rate };
  const context = new OfflineAudioContext(1, Math.ceil((sound.samples.length * rate) / sound.rate), rate);
  const source = context.createBufferSource();
  source.buffer = bufferOf(sound);
  source.connect(context.destination);
  source.start();
  return { samples: (await context.startRendering()).getChannelData(0), rate };
}

function bufferOf(sound: Sound): AudioBuffer {
  const length = Math.max(1, sound.samples.length);
  const buffer = new AudioBuffer({ length, sampleRate: sound.rate, numberOfChannels: 1 });
  buffer.getChannelData(0).set(sound.samples);
  return buffer;
}

/** 16-bit samples; louder ones than full scale are clipped. */
function to16Bits(samples: Float32Array): Int16Array<ArrayBuffer> {
  const converted = new Int16Array(samples.length);
  samples.forEach((value, at) => (converted[at] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)))));
  return converted;
}

function wavOf(sound: Sound): Blob {
  const samples = to16Bits(sound.samples);
  const header = new DataView(new ArrayBuffer(44));
  const tag = (at: number, text: string): void => {
    for (let letter = 0; letter < text.length; letter++) header.setUint8(at + letter, text.charCodeAt(letter));
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
