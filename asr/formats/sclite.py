"""sclite's reference formats: STM (times, speaker and words of a segment on a line) and TRN (words and the name).

Both have no escapes: sclite reads `{ a / b }` as alternatives, `(a)` as optional and `@` as nothing.
"""

import re
from typing import IO

from asr.errors import InputError
from asr.formats.ctm import CHANNEL
from asr.formats.tiers import all_in_one, require_no_spaces, require_times
from asr.formats.transcript import Transcript

UNKNOWN_SPEAKER = "unknown"
LABEL = "<o>"
"""STM's optional label of a segment; without it sclite would take a first phone such as `<unk>` for one."""

_SPECIAL = re.compile(r"[{}/@]|\(.*|.*\)|;;.*")


def check_stm(transcript: Transcript) -> None:
    """Raises InputError for what STM cannot hold."""
    _check(transcript, "STM")
    speaker = transcript.speaker or UNKNOWN_SPEAKER
    if len(speaker.split()) != 1:
        raise InputError(
            f"utterance {transcript.utterance}: speaker {speaker[:80]!r}: STM allows no spaces in names",
            transcript.audio,
        )
    if transcript.duration is None:
        require_times(transcript, "STM")


def check_trn(transcript: Transcript) -> None:
    """Raises InputError for what TRN cannot hold."""
    _check(transcript, "TRN")
    if "(" in transcript.utterance or ")" in transcript.utterance:
        raise InputError(
            f"utterance {transcript.utterance[:80]!r}: TRN allows no parentheses in names; rename it", transcript.audio
        )


def _check(transcript: Transcript, form: str) -> None:
    require_no_spaces(transcript, form)
    for label in [*transcript.symbols, *(word.word for word in transcript.words)]:
        if _SPECIAL.fullmatch(label):
            raise InputError(
                f"utterance {transcript.utterance}: {label[:80]!r} has a meaning of its own in {form}", transcript.audio
            )


def _write_stm(file: IO[str], tier: str, labels: Transcript) -> None:
    end = labels.duration or max((each.end or 0.0 for each in labels.phones), default=0.0)
    speaker = labels.speaker or UNKNOWN_SPEAKER
    fields = (labels.utterance, CHANNEL, speaker, f"{0.0:.4f}", f"{end:.4f}", LABEL, *labels.symbols)
    file.write(" ".join(fields) + "\n")


def _write_trn(file: IO[str], tier: str, labels: Transcript) -> None:
    file.write(" ".join([*labels.symbols, f"({labels.utterance})"]) + "\n")


STM = all_in_one(".stm", _write_stm, check_stm)
TRN = all_in_one(".trn", _write_trn, check_trn)
