"""What an acoustic model classifies: HMM states of phones, or under CTC a blank and the phones.

HMM: class = phone * states + state. CTC: class 0 is the blank, class i + 1 is phone i.
"""

from collections.abc import Sequence
from typing import Literal

Topology = Literal["hmm", "ctc"]

UNLABELLED = -1
"""The label of a frame that has none."""

BLANK = 0
"""Under CTC: the class of a frame in which no phone begins."""
BLANK_NAME = "<blank>"


def class_names(phones: Sequence[str], topology: Topology, states: int) -> list[str]:
    """The name of each class [C]: `<blank>`, `aa`, ... under CTC; `aa_0`, `aa_1`, ... of an HMM of `states` a phone."""
    if topology == "ctc":
        return [BLANK_NAME, *phones]
    return [f"{phone}_{state}" for phone in phones for state in range(states)]
