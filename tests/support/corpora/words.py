"""The words of a prepared corpus."""

from pathlib import Path

from asr.corpora.cuts import read_cuts, write_cuts


def forget_words(run: Path) -> None:
    """Takes the times of the words from the test set of a run."""
    manifest = run / "prepare" / "test.cuts.jsonl.gz"
    cuts = list(read_cuts(manifest))
    for cut in cuts:
        cut.supervisions[0].alignment.pop("word")
    write_cuts(manifest, cuts)
