"""A message is one short line that a terminal only prints, whatever is in it."""

from asr.errors import InputError, printable

LONG = "x" * 1_000_000


def test_a_quoted_value_is_shortened() -> None:
    message = str(InputError(f"field a must be a number, not {LONG!r}; remove it", "f.json", 3))
    assert message.startswith("f.json:3: field a must be a number, not 'xxx")
    assert message.endswith("xxx'; remove it")
    assert len(message) < 200


def test_a_long_message_keeps_its_beginning_and_its_end() -> None:
    message = str(InputError(f"unknown key {LONG}; remove it", "f.yaml"))
    assert message.startswith("f.yaml: unknown key x")
    assert message.endswith("x; remove it")
    assert len(message) < 600


def test_a_short_message_with_apostrophes_stays() -> None:
    text = "the model's training has diverged; lower training.optimizer.learning_rate, as it isn't the recipe's 'adam'"
    assert str(InputError(text)) == text


def test_control_characters_are_visible() -> None:
    assert str(InputError("speaker \x1b[31mred\x07 \u202e\nnext", "a\x1b")) == (
        "a\\x1b: speaker \\x1b[31mred\\x07 \\u202e next"
    )
    assert printable("ɑː plain") == "ɑː plain"
