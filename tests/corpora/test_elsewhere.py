"""Audio that the lists of a corpus name in other folders."""

from pathlib import Path

import pytest
from support.commands.asr_command import Command
from support.corpora import calls
from support.corpora.own_corpora import all_cuts

from asr.corpora.elsewhere import audio_elsewhere


@pytest.mark.parametrize("builder", calls.BUILDERS)
def test_it_is_all_files_that_the_utterances_are_of(
    builder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asr_command: Command
) -> None:
    corpus, lists = tmp_path / "corpus", tmp_path / "lists"
    command = calls.prepare(builder, corpus, tmp_path / "prepared")
    assert asr_command(*command).status == 0
    layout = str(command[1])
    assert audio_elsewhere(layout, corpus) == []
    files = sorted({cut.recording.sources[0].source for cut in all_cuts(tmp_path / "prepared")})
    assert audio_elsewhere("lhotse", tmp_path / "prepared") == files
    lists.mkdir()
    for path in corpus.iterdir():
        if path.is_file():
            path.rename(lists / path.name)
    monkeypatch.chdir(corpus)
    assert audio_elsewhere(layout, lists) == files


def test_of_one_list_it_is_all_files_but_those_of_broken_lines(tmp_path: Path) -> None:
    calls.csv(tmp_path)
    table = tmp_path / "mine.csv"
    files = sorted(str(path) for path in (tmp_path / "calls").iterdir())
    table.write_text(table.read_text() + 'calls/a.wav,no channel\n"calls/b.wav,0\n')
    assert audio_elsewhere("csv", table) == files
    assert audio_elsewhere("csv", tmp_path) == audio_elsewhere("folder", tmp_path) == []
