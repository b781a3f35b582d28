// Plays a part of an utterance; files are loaded when they are first played.

/** Seconds heard before and after what was clicked. */
const AROUND = 0.5;

const audio = new Audio();
let playing: { utterance: Utterance; end: number } | null = null;
let following = false;

function play(utterance: Utterance, from: number, to: number): void {
  if (!utterance.audio) return;
  const end = Math.min(utterance.seconds, to);
  const seek = (): void => {
    audio.currentTime = Math.max(0, from);
    audio.play().catch(() => undefined);
  };
  audio.pause();
  playing = { utterance, end };
  if (audio.getAttribute("src") === utterance.audio && audio.readyState > 0) {
    seek();
  } else {
    audio.onloadedmetadata = seek;
    audio.setAttribute("src", utterance.audio);
  }
  if (!following) followPlayback();
}

function playPair(utterance: Utterance, at: number, around = AROUND): void {
  const pair = utterance.pairs[at];
  const [start, end] = pair ? spanOf(pair) : [0, utterance.seconds];
  play(utterance, start - around, end + around);
}

function stop(): void {
  audio.pause();
  playing = null;
  showPlayhead(null, 0);
}

function followPlayback(): void {
  following = playing !== null;
  if (!playing) return;
  if (audio.ended || (audio.currentTime >= playing.end && !audio.seeking && !audio.paused)) {
    stop();
    following = false;
    return;
  }
  showPlayhead(playing.utterance, audio.currentTime);
  requestAnimationFrame(followPlayback);
}

audio.addEventListener("error", () => {
  if (!playing) return;
  say(`Cannot play ${playing.utterance.name}: its recording is not there, or this browser does not play it.`);
  stop();
});
