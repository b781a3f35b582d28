"""Settings of the classes."""

from typing import Literal

from pydantic import Field

from asr.config.phone_set import PhoneSetSetting
from asr.config.section import Section
from asr.phones.phone_set import load_phone_set


class TargetsConfig(Section):
    """What the acoustic model classifies."""

    phone_set: PhoneSetSetting = Field(
        load_phone_set("timit48"),
        description="phones of the model: timit61, timit48, timit39, cmu39, or the path of a file with one a line; "
        "foldings next to that file are found by their names, FROM-TO.tsv",
    )
    states: Literal[1, 3] = Field(3, description="HMM states of each phone; 1 with training.loss: ctc")
