"""A transcript as HTML for notebooks: its spectrogram with the phones and words below."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape

from asr.formats.transcript import Transcript
from asr.library.spectrogram import LONGEST, Picture
from asr.png import grey_png

PIXELS = 400
"""Pixels of a second."""
PICTURE, LANE = 128, 22
"""Heights (pixels) of the spectrogram and of a row of labels."""

Labels = Sequence[tuple[str, float, float, float | None]]
"""Label, start and end (s), score."""


def transcript_html(transcript: Transcript, picture: Picture | None) -> str:
    """An HTML fragment that needs no other file. Without a `picture` it has the phones alone.

    Longer recordings are shown to LONGEST seconds. Phones without times are a line of text.
    """
    phones = [(each.phone, each.start, each.end, each.score) for each in transcript.phones]
    timed = [(label, start, end, score) for label, start, end, score in phones if start is not None and end is not None]
    caption = f"<b>{escape(transcript.utterance)}</b>"
    if transcript.duration is not None:
        caption += f" {transcript.duration:.2f} s"
    if len(timed) < len(phones):
        return f"<p>{caption}: {escape(' '.join(transcript.symbols))}</p>"
    length = transcript.duration or max((end for _, _, end, _ in timed), default=0.0)
    if length > LONGEST:
        caption += f" (the first {LONGEST:g} s)"
    words: Labels = [(each.word, each.start, each.end, None) for each in transcript.words]
    lanes = [timed, words] if words else [timed]
    svg = "".join(_drawing(lanes, picture, min(length, LONGEST)))
    return (
        f'<figure style="margin:0"><figcaption>{caption}</figcaption><div style="overflow-x:auto">{svg}</div></figure>'
    )


def _drawing(lanes: Sequence[Labels], picture: Picture | None, length: float) -> Iterator[str]:
    top = PICTURE if picture is not None and picture.size else 0
    width, height = max(1, round(length * PIXELS)), top + LANE * len(lanes)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" text-anchor="middle">'
    )
    if picture is not None and top:
        yield (
            f'<image width="{width}" height="{top}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{b64encode(grey_png(picture)).decode()}"/>'
        )
    for number, lane in enumerate(lanes):
        for label, start, end, score in lane:
            if start < length:
                yield from _interval(label, start, min(end, length), score, top + number * LANE)
    yield "</svg>"


def _interval(label: str, start: float, end: float, score: float | None, top: int) -> Iterator[str]:
    """A box with its label; the less sure a phone is, the redder its box."""
    x, width = start * PIXELS, (end - start) * PIXELS
    doubt = 0.0 if score is None else 1 - min(max(score, 0.0), 1.0)
    title = f"{label} {start:.3f} to {end:.3f} s" + ("" if score is None else f", score {score:.2f}")
    yield (
        f"<g><title>{escape(title)}</title>"
        f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{LANE}" stroke="#888" '
        f'fill="hsl(10 90% {100 - 40 * doubt:.0f}%)"/>'
        f'<text x="{x + width / 2:.1f}" y="{top + LANE * 0.7:.1f}">{escape(label)}</text></g>'
    )
