"""The command of Kaldi's wav.scp that reads SPHERE files, sph2pipe, understood as text; no command is run.

Most data folders of telephone speech have it on each line: `sph2pipe -f wav -p -c 1 call.sph |`.
"""

import shlex
from pathlib import PurePosixPath

PROGRAM = "sph2pipe"
_OF_A_SHELL = frozenset("|&;<>()$`\\*?[]{}~!#^\n\r\0")
"""Characters that mean more than themselves."""

_FORMATS = ("wav", "rif")
_CHANNELS = {"1": 0, "2": 1}


def sphere_file(command: str) -> tuple[str, int | None] | None:
    """The file that a command (with or without the last `|`) writes to a pipe as WAV, and the channel (from 0; None:
    all).

    None for anything but `sph2pipe -f wav [-p] [-c 1|2] FILE`, in any order and with the path of the program: for other
    programs and options (parts, other encodings), for an output file, and for what a shell would expand.

        >>> sphere_file("tools/sph2pipe -f wav -p -c 2 call.sph |")
        ('call.sph', 1)
    """
    text = command.strip().removesuffix("|")
    if _OF_A_SHELL.intersection(text):
        return None
    try:
        program, *words = shlex.split(text)
    except ValueError:  # a quote that is not closed, or no program
        return None
    options: dict[str, str] = {}
    files: list[str] = []
    given = iter(words)
    for word in given:
        if not word.startswith("-"):
            files.append(word)
        elif word in options or word not in ("-f", "-c", "-p"):
            return None
        else:
            options[word] = "" if word == "-p" else next(given, "")
    channel = options.get("-c")
    known = options.get("-f") in _FORMATS and (channel is None or channel in _CHANNELS)
    if PurePosixPath(program).name != PROGRAM or not known or len(files) != 1 or not files[0]:
        return None
    return files[0], None if channel is None else _CHANNELS[channel]
