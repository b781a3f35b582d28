"""The tag in the first frame of an MP3 file that says how many frames it has."""

from pathlib import Path

ID3_HEADER = 10
"""Bytes of the header of an ID3v2 tag; 7 bits of each of its last four are the size of the rest."""

FIRST_FRAMES = 4096
"""Bytes in which the first frame is, after an ID3v2 tag."""

HAS_FRAMES = 1
"""Flag of a Xing tag."""


def says_length(path: Path) -> bool:
    """Whether a tag (Xing, Info, VBRI) says how many frames there are.

    Without one, libsndfile estimates the length from the first frames, and would leave out the end of a file of
    variable bit rate.
    """
    with open(path, "rb") as file:
        head = file.read(ID3_HEADER)
        tag = sum((each & 0x7F) << shift for each, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
        file.seek(ID3_HEADER + tag if head[:3] == b"ID3" else 0)
        frame = file.read(FIRST_FRAMES)
    if b"VBRI" in frame:
        return True
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    return at >= 0 and bool(int.from_bytes(frame[at + 4 : at + 8], "big") & HAS_FRAMES)
