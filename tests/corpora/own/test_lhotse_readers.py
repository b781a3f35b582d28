"""Corpora that Lhotse reads too: its own reader finds the same utterances, audio, speakers and words as ours."""

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import pytest
from lhotse import CutSet, MonoCut, RecordingSet, SupervisionSet
from lhotse.kaldi import load_kaldi_data_dir
from lhotse.recipes import prepare_commonvoice, prepare_librispeech
from support.commands.asr_command import Command
from support.corpora.own_corpora import BUILDERS, RATE

from asr.corpora.cuts import read_cuts
from asr.storage.run_layout import SPLITS, cuts_path

Row = tuple[str, float, float, str, str]
"""Audio file, start and duration (s), speaker and text of an utterance."""


def kaldi(root: Path) -> Iterable[MonoCut]:
    recordings, supervisions, _ = load_kaldi_data_dir(root, RATE)
    return CutSet.from_manifests(recordings, supervisions).trim_to_supervisions()


def librispeech(root: Path) -> Iterable[MonoCut]:
    return together(prepare_librispeech(root, dataset_parts=["train-clean-5", "dev-clean-2", "test-clean"]))


def commonvoice(root: Path) -> Iterable[MonoCut]:
    """All in one part, as each starts a process; Lhotse's reader needs all columns of a release."""
    tables = [table.read_text().splitlines() for table in root.glob("*.tsv")]
    rows = [f"{row}\t\t" for _, *each in tables for row in each]
    (root / "train.tsv").write_text("\n".join([f"{tables[0][0]}\taccents\tvariant", *rows]) + "\n")
    return together(prepare_commonvoice(root.parent, root.parent / "lhotse", root.name, ["train"])[root.name])


def together(parts: dict[str, dict[str, RecordingSet | SupervisionSet]]) -> Iterable[MonoCut]:
    return chain.from_iterable(CutSet.from_manifests(**part) for part in parts.values())


def utterances(cuts: Iterable[MonoCut]) -> dict[str, Row]:
    return {
        cut.supervisions[0].id: (
            Path(cut.recording.sources[0].source).name,
            round(cut.start, 6),
            round(cut.duration, 6),
            cut.supervisions[0].speaker,
            cut.supervisions[0].text,
        )
        for cut in cuts
    }


@pytest.mark.parametrize("lhotse_reader", [kaldi, librispeech, commonvoice])
def test_lhotse_finds_the_same(
    lhotse_reader: Callable[[Path], Iterable[MonoCut]],
    tmp_path: Path,
    asr_command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root, out, lexicon = tmp_path / "en", tmp_path / "out", tmp_path / "lexicon.txt"
    BUILDERS[lhotse_reader.__name__](root)
    lexicon.write_text("she sh iy\nsaid s eh d\nsil s\nsh sh\niy iy\n")
    outcome = asr_command("prepare", lhotse_reader.__name__, root, out, "--lexicon", lexicon)
    assert outcome.status == 0, outcome.err
    monkeypatch.chdir(root)  # where Lhotse looks for the files of wav.scp
    ours = utterances(chain.from_iterable(read_cuts(cuts_path(out, split)) for split in SPLITS))
    assert len(ours) == 12
    assert ours == utterances(lhotse_reader(root))
