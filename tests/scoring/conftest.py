"""Real references for the scoring tests."""

from pathlib import Path

import pytest

from asr.formats.transcript import PhoneSegment, Transcript


@pytest.fixture(scope="session")
def sample_references(timit_sample: Path) -> list[Transcript]:
    """The sample's 128 utterances without the SA sentences, in TIMIT's 61 symbols."""
    references = []
    for path in sorted(timit_sample.glob("dr*-*/*.phn")):
        if not path.stem.startswith("sa"):
            speaker = path.parent.name.split("-")[1]
            symbols = [line.split()[2] for line in path.read_text().splitlines()]
            phones = [PhoneSegment(symbol) for symbol in symbols]
            references.append(Transcript(f"{speaker}-{path.stem}", phones, speaker))
    return references
