"""Damages a file's content the way disks, editors and attackers do; the same random numbers give the same damage."""

import re
from collections.abc import Callable
from random import Random

MOST_BYTES = 20_000

TOKENS = (
    *(
        b"",
        b"0",
        b"-1",
        b"1e999",
        b"-1e999",
        b"1.0e+999",
        b"NaN",
        b"Infinity",
        b".inf",
        b".nan",
        b"9" * 400,
        b"9" * 5000,
    ),
    *(
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'""',
        b"[[]]",
        b"-0",
        b"1_0",
        b"0x1F",
        b"1:30",
        b"2024-13-01",
        b"~",
        b"<<",
        b"yes",
    ),
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\xe2\x80\xa8", b"\x1b[31m", b"\r", b"\x85"),
    *("٣".encode(), "²".encode(), "ﬀ".encode(), b"../../x", b"/etc/passwd", b"&a [*a]", b"*a", b"!!bool maybe"),
    *(
        b"!!python/object:os.system x",
        b"!!binary x",
        b"!!int ''",
        b"!!set {a, b}",
        b"? [a]\n: b",
        b"---\n",
        b"a" * 5000,
    ),
    *(b"[red]", b"</s>", b"\\end\\", b"\\1-grams:", b"ngram 1=0", b"1e5", b"%s", b"{0}", b"\t", b" ", b"\n", b"-"),
    *(b"[" * 2000, b'{"a":' * 2000, b"- " * 200, b"'", b'"', b"#", b"intervals: size = 999999999", b"<exists>"),
)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_VALUE = re.compile(rb'"[^"\n]*"|-?\d+(?:\.\d+)?|\w+|\[[^\[\]]*\]|\{[^{}]*\}')


def mutated(seed: bytes, random: Random) -> bytes:
    """A valid content with one to four kinds of damage."""
    content = seed
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        content = random.choice(_MUTATIONS)(content, random)[:MOST_BYTES]
    return content


def _flip(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _replace_byte(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + bytes([random.randrange(256)]) + content[at + 1 :]


def _cut_off(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _delete(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content) + 1)
    return content[:start] + content[start + random.choice((1, 2, 5, 30)) :]


def _insert(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice(TOKENS) + content[at:]


def _lines(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines.insert(first, lines[second])
        case 1:
            lines[first], lines[second] = lines[second], lines[first]
        case 2:
            del lines[first]
        case _:
            lines[first] *= random.choice((2, 5, 50))
    return b"".join(lines)


def _replace_value(content: bytes, random: Random) -> bytes:
    return _replace(_VALUE, content, random)


def _replace_number(content: bytes, random: Random) -> bytes:
    return _replace(_NUMBER, content, random)


def _replace(pattern: re.Pattern[bytes], content: bytes, random: Random) -> bytes:
    found = list(pattern.finditer(content))
    if not found:
        return _insert(content, random)
    match = random.choice(found)
    other = random.choice((random.choice(TOKENS), random.choice(found)[0], b"[" + match[0] + b"]"))
    return content[: match.start()] + other + content[match.end() :]


def _anything(content: bytes, random: Random) -> bytes:
    return random.randbytes(random.randrange(60))


_Mutation = Callable[[bytes, Random], bytes]
_MUTATIONS: tuple[_Mutation, ...] = (
    *(_flip, _replace_byte, _cut_off, _delete, _insert, _lines, _lines),
    *(_replace_value, _replace_value, _replace_value, _replace_number, _replace_number, _anything),
)
