"""A TextGrid for each recording with the words and phones of each of its speakers, in tiers that are named as MFA's.

A transcript that is not of one of the speakers of a recording (`utterance_name`) is a recording of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from praatio import textgrid

from asr.audio import audio_info
from asr.errors import InputError
from asr.formats.format import Format
from asr.formats.textgrid import PHONES, WORDS, save_tiers
from asr.formats.textgrid_reader import SPEAKER_ENDS, Segment
from asr.formats.tiers import require_times, tiers, timed
from asr.formats.transcript import Transcript
from asr.storage.files import output_path

FOLDER = "recordings"


def utterance_name(recording: str, number: str, speaker: str) -> str:
    """The name of an utterance of one of the speakers of a recording, without spaces in the speaker's."""
    return f"{recording}-{number}{_end(speaker)}"


def recording_name(utterance: str, speaker: str | None) -> str:
    """The name of the recording of such an utterance; without a speaker, that of the utterance."""
    return utterance if speaker is None else utterance.removesuffix(_end(speaker)).rpartition("-")[0]


def _recording(transcript: Transcript) -> str:
    return recording_name(transcript.utterance, None if transcript.start is None else transcript.speaker)


def _end(speaker: str) -> str:
    return "-" + "_".join(speaker.split())


def _write(folder: Path, transcripts: Iterable[Transcript]) -> list[Path]:
    """Keeps the utterances of speakers to the end, as those of other recordings may be between them."""
    written: list[Path] = []
    divided: dict[str, list[Transcript]] = defaultdict(list)
    for transcript in transcripts:
        if (recording := _recording(transcript)) == transcript.utterance:
            written.append(_write_recording(folder, recording, [transcript]))
        else:
            divided[recording].append(transcript)
    for recording, utterances in divided.items():
        written.append(_write_recording(folder, recording, sorted(utterances, key=lambda each: each.start or 0.0)))
    return written


def _write_recording(folder: Path, recording: str, utterances: Sequence[Transcript]) -> Path:
    """The tiers have their speaker's name where there are several, as MFA has it."""
    path = output_path(folder / FOLDER, f"{recording}.TextGrid")
    found: dict[tuple[str, str], list[Segment]] = defaultdict(list)
    for utterance in utterances:
        for tier, labels in tiers(utterance):
            _add(found[utterance.speaker or "", tier], labels, utterance.start or 0.0)
    end = max([_seconds(utterances[0]), *(segments[-1][1] for segments in found.values() if segments)])
    speakers = list(dict.fromkeys(speaker for speaker, _ in found))
    save_tiers(
        path,
        [
            textgrid.IntervalTier(f"{speaker}{SPEAKER_ENDS}{tier}" if len(speakers) > 1 else tier, segments, 0.0, end)
            for speaker in speakers
            for tier in (WORDS, PHONES)
            if (segments := found.get((speaker, tier))) is not None
        ],
        end,
    )
    return path


def _add(segments: list[Segment], labels: Transcript, shift: float) -> None:
    """Adds the labels of an utterance that begins `shift` seconds into its recording, after those before it."""
    for start, end, segment in timed(labels, "TextGrid"):
        begin = max(round(start + shift, 6), segments[-1][1] if segments else 0.0)
        if (until := round(end + shift, 6)) > begin:
            segments.append((begin, until, segment.phone))


def _seconds(transcript: Transcript) -> float:
    """The seconds of the whole recording, or of what is known of it."""
    if transcript.start is None or transcript.audio is None:
        return transcript.duration or 0.0
    try:
        info = audio_info(transcript.audio)
    except InputError:
        return transcript.start + (transcript.duration or 0.0)
    return info.samples / info.sample_rate


def _check(transcript: Transcript) -> None:
    require_times(transcript, "TextGrid")
    output_path(Path(FOLDER), _recording(transcript))


FORMAT = Format(False, lambda recording: (f"{FOLDER}/{recording}.TextGrid",), _write, _check)
