"""Random damage to a file's bytes, as a hypothesis strategy: what it finds is shrunk to the least damage."""

from collections.abc import Callable

from hypothesis import strategies as st

Change = Callable[[bytes], bytes]

NASTY = (
    *(b"9" * 400, b"-1", b"0", b"1e999", b"-1e-999", b"NaN", b"Infinity", b"1.5", b"0x10", b"1_000", b"null", b"true"),
    *(b"[]", b"{}", b"[" * 200, b"{" * 200, b'{"a":' * 100, b"&a *a", b"!!python/object:os.system x", b"? : -"),
    *(b'"', b"'", b"\\", b"\n", b"\r", b"\t", b" ", b"\0", b"\x1b[31m", b"-", b":", b"|", b"#", b"<eps>", b"<s>"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"../../x", b"/etc/passwd"),
    *(text.encode() for text in ("\u2028", "\u0660", "\U0001f600")),
)


def _place(data: bytes, share: float) -> int:
    return int(share * len(data))


def _flip(share: float, bit: int) -> Change:
    def change(data: bytes) -> bytes:
        at = _place(data, share)
        return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :] if data else data

    return change


def _cut(share: float, length: int) -> Change:
    return lambda data: data[: _place(data, share)] + data[_place(data, share) + length :]


def _end(share: float) -> Change:
    return lambda data: data[: _place(data, share)]


def _insert(share: float, piece: bytes) -> Change:
    return lambda data: data[: _place(data, share)] + piece + data[_place(data, share) :]


def _repeat_line(share: float, other: float) -> Change:
    def change(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True) or [b""]
        line = lines[int(share * len(lines))]
        at = int(other * len(lines))
        return b"".join([*lines[:at], line, *lines[at:]])

    return change


def _replace_word(share: float, piece: bytes) -> Change:
    """Replaces what stands between two separators."""

    def change(data: bytes) -> bytes:
        at = _place(data, share)
        separators = b' \t\n,:[]{}"='
        start, end = at, at
        while start > 0 and data[start - 1] not in separators:
            start -= 1
        while end < len(data) and data[end] not in separators:
            end += 1
        return data[:start] + piece + data[end:]

    return change


_SHARES = st.floats(0, 1, exclude_max=True)
_PIECES = st.sampled_from(NASTY) | st.binary(max_size=8)
_CHANGES = st.one_of(
    st.builds(_flip, _SHARES, st.integers(0, 7)),
    st.builds(_cut, _SHARES, st.integers(1, 64)),
    st.builds(_end, _SHARES),
    st.builds(_insert, _SHARES, _PIECES),
    st.builds(_repeat_line, _SHARES, _SHARES),
    st.builds(_replace_word, _SHARES, _PIECES),
)


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """The bytes after one to four changes."""

    def apply(changes: list[Change]) -> bytes:
        result = data
        for change in changes:
            result = change(result)
        return result

    return st.lists(_CHANGES, min_size=1, max_size=4).map(apply)
