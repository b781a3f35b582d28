"""Progress in a log: a line a minute, and every item."""

import logging
from collections.abc import Iterator

import pytest

from asr import progress
from asr.progress import track


@pytest.mark.parametrize(("total", "line"), [(3, "epoch 1: 2 of 3"), (None, "epoch 1: 2")])
def test_a_line_when_a_minute_has_passed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, total: int | None, line: str
) -> None:
    caplog.set_level(logging.INFO, "asr")
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def slow() -> Iterator[str]:
        for seconds, item in ((10, "a"), (40, "b"), (20, "c")):
            now[0] += seconds
            yield item

    assert list(track(slow(), "epoch 1", total)) == ["a", "b", "c"]
    assert caplog.messages == [line]
