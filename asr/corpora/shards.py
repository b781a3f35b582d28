"""Shards in the form of Lhotse's Shar: manifests of cuts, each with a tar of their audio, in the same order.

A corpus on a shared or remote disk is then read from one end to the other, in a few large files. Audio files are stored
byte for byte, and a part or a channel of a file as FLAC. `lhotse.CutSet.from_shar(in_dir=...)` reads the folder of a
split.
"""

import io
import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from lhotse import AudioSource, MonoCut, Recording

from asr.corpora.corpus import CorpusCuts
from asr.corpora.cuts import write_cuts
from asr.corpora.recorded import recorded
from asr.corpora.stored_phone_set import store_phone_set
from asr.errors import InputError
from asr.progress import track
from asr.storage.files import complete_file, files_below, output_path, synced_together
from asr.storage.json_files import json_objects, write_json
from asr.storage.run_layout import SUMMARY
from asr.storage.text import read_packed_lines

CUTS, AUDIO = "cuts", "recording"
_SHARD = re.compile(rf"{CUTS}((?:\.[\w-]+)?)\.jsonl(?:\.gz)?")
_AUDIO = re.compile(rf"{AUDIO}(?:\.[\w-]+)?\.tar")
_FORMAT = re.compile(r"\.[a-z0-9]{1,8}")
FIX = "copy the shard again, or write it again"


class Shard(NamedTuple):
    """The files of a shard, and the folder that they are in below the corpus's."""

    cuts: Path
    audio: Path
    inside: Path


class _Stored(NamedTuple):
    """The audio of a cut in a shard: the cut's name, the suffix of the audio's format, its bytes, and its recording."""

    cut: str
    suffix: str
    content: bytes
    recording: dict[str, Any]


def write_shards(corpus: CorpusCuts, out_dir: Path, size: int) -> int:
    """Writes the cuts of each manifest into `out_dir`/NAME, `size` in a shard, with their audio; returns the shards.

    The phone set is stored with them. The same corpus gives the same bytes. Raises InputError for audio that cannot be
    read.
    """
    shards = 0
    for name, cuts in corpus.manifests.items():
        for number, first in enumerate(track(range(0, len(cuts), size), f"shards of {name}")):
            _write(cuts[first : first + size], out_dir / name, f"{number:06d}")
            shards += 1
    stored = store_phone_set(corpus.phone_set, out_dir)
    write_json(out_dir / SUMMARY, {"corpus": "lhotse", "phone_set": stored})
    return shards


def _write(cuts: Sequence[MonoCut], folder: Path, number: str) -> None:
    stored = []
    with (
        complete_file(folder / f"{AUDIO}.{number}.tar", "wb") as file,
        tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for cut in cuts:
            suffix, content, recording = _audio(cut)
            _add(tar, f"{cut.id}{suffix}", content)
            _add(tar, f"{cut.id}.json", json.dumps(recording.to_dict()).encode())
            supervisions = [replace(each, channel=0) for each in cut.supervisions]
            alone = replace(cut, start=0.0, duration=recording.duration, channel=0, supervisions=supervisions)
            stored.append(replace(alone, recording=recording))
    write_cuts(folder / f"{CUTS}.{number}.jsonl.gz", stored)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _audio(cut: MonoCut) -> tuple[str, bytes, Recording]:
    """The suffix and bytes of a cut's audio, and its recording."""
    place, recording = recorded(cut), cut.recording
    path = Path(place.path)
    sources = [AudioSource(type="shar", channels=[0], source="")]
    if place.duration is None and place.channel is None:
        try:
            return path.suffix.lower(), path.read_bytes(), replace(recording, sources=sources)
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}", path) from error
    import soundfile

    samples = place.samples(recording.sampling_rate)
    file = io.BytesIO()
    soundfile.write(file, samples, recording.sampling_rate, format="FLAC", subtype="PCM_24")
    length = len(samples) / recording.sampling_rate
    part = replace(recording, id=cut.id, sources=sources, num_samples=len(samples), duration=length, channel_ids=[0])
    return ".flac", file.getvalue(), part


def find_shards(folder: Path) -> list[Shard]:
    """The shards below a folder; none where it has no such files.

    Raises InputError where only one of a shard's two files is there.
    """
    found, tars = [], set()
    for path in files_below(folder) if folder.is_dir() else ():
        if match := _SHARD.fullmatch(path.name):
            found.append(Shard(path, path.with_name(f"{AUDIO}{match[1]}.tar"), path.parent.relative_to(folder)))
        elif _AUDIO.fullmatch(path.name):
            tars.add(path)
    known = {shard.audio for shard in found}
    if not known & tars:
        return []
    for shard in found:
        if shard.audio not in tars:
            raise InputError(f"its audio, {shard.audio.name}, is not next to it; {FIX}", shard.cuts)
    for path in sorted(tars - known):
        raise InputError(f"its manifest of cuts is not next to it; {FIX}", path)
    return found


def unpack_shards(shards: Sequence[Shard], folder: Path) -> Path:
    """Writes the audio of shards below `folder`, and manifests of cuts that refer to it; returns `folder`.

    Raises InputError for a shard that is broken, whose files do not fit each other, or with a name that leads out of
    the folder.
    """
    with synced_together():
        for shard in track(shards, "unpack shards"):
            name = "-".join([*shard.inside.parts, shard.cuts.name])
            audio = folder / shard.inside / shard.audio.stem.removeprefix(f"{AUDIO}.")
            write_cuts(folder / (name if name.endswith(".gz") else f"{name}.gz"), _unpacked(shard, audio))
    return folder


def _unpacked(shard: Shard, folder: Path) -> Iterator[MonoCut]:
    """The cuts of a shard, each once its audio is in the folder."""
    for (line, row), stored in _paired(shard):
        if stored.cut != row.get("id"):
            raise InputError(f"has the audio of {stored.cut!r} where the cut is {row.get('id')!r}; {FIX}", shard.audio)
        try:
            path = output_path(folder, stored.cut + stored.suffix)
        except InputError as error:
            raise InputError(
                f"{stored.cut!r} in it leads out of its folder; do not use this shard", shard.audio
            ) from error
        try:
            recording = Recording.from_dict(stored.recording)
            sources = [AudioSource(type="file", channels=recording.sources[0].channels, source=str(path))]
            cut = MonoCut.from_dict({key: value for key, value in row.items() if key not in ("type", "recording")})
            cut = replace(cut, recording=replace(recording, sources=sources))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a cut of Lhotse's with its recording ({error}); {FIX}", shard.cuts, line) from error
        with complete_file(path, "wb") as file:
            file.write(stored.content)
        yield cut


def _paired(shard: Shard) -> Iterator[tuple[tuple[int, dict[str, Any]], _Stored]]:
    """Each line of a shard's manifest with its audio."""
    rows = json_objects(read_packed_lines(shard.cuts), shard.cuts)
    for row, stored in zip_longest(rows, _stored(shard.audio)):
        if row is None or stored is None:
            more, fewer = ("audio", "cuts") if row is None else ("cuts", "audio")
            raise InputError(f"{shard.cuts.name} and it do not fit: more {more} than {fewer}; {FIX}", shard.audio)
        yield row, stored


def _stored(path: Path) -> Iterator[_Stored]:
    """The audio of a tar: members in pairs, of which the second is the JSON of the first one's recording."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = iter(tar)
            for audio in members:
                description = next(members, None)
                name, dot, suffix = audio.name.rpartition(".")
                suffix = f"{dot}{suffix}"
                if description is None or description.name != f"{name}.json" or not _FORMAT.fullmatch(suffix):
                    raise InputError(f"{audio.name!r} in it is not audio followed by its recording; {FIX}", path)
                content, text = (_content(tar, each, path) for each in (audio, description))
                yield _Stored(name, suffix, content, json.loads(text))
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise InputError(f"is not a complete .tar file of a shard ({error}); {FIX}", path) from error


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bytes:
    opened = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if opened is None:
        raise InputError(f"{member.name!r} in it is a link or a device; do not use this shard", path)
    content = opened.read()
    if len(content) < member.size:
        raise InputError(f"is truncated; {FIX}", path)
    return content
