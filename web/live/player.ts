// Plays a part of the recording that is shown.

let context: AudioContext | null = null;
let source: AudioBufferSourceNode | null = null;
/** From where to where (s) it plays, and the time of the context when it began. */
let playing: { from: number; to: number; began: number } | null = null;

function play(sound: Sound, from = 0, to = secondsOf(sound)): void {
  stop();
  context ??= new AudioContext();
  void context.resume();
  const node = context.createBufferSource();
  node.buffer = bufferOf(sound);
  node.connect(context.destination);
  const start = Math.max(0, from);
  playing = { from: start, to: Math.min(to, secondsOf(sound)), began: context.currentTime };
  node.onended = () => {
    if (source === node) stop();
  };
  source = node;
  node.start(0, start, playing.to - start);
  showPlaying();
}

function stop(): void {
  source?.stop();
  source = null;
  playing = null;
  showPlayhead(null);
  byId("play").textContent = "▶ Play";
}

function showPlaying(): void {
  if (!playing || !context) return;
  byId("play").textContent = "■ Stop";
  showPlayhead(Math.min(playing.to, playing.from + context.currentTime - playing.began));
  requestAnimationFrame(showPlaying);
}
