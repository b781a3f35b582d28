"""Settings of the classes."""

from typing import Literal, get_args

from pydantic import Field

from asr.config.section import Section

PhoneSetName = Literal["timit61", "timit48", "cmu39", "timit39"]

PHONE_SETS: tuple[PhoneSetName, ...] = get_args(PhoneSetName)
"""Each can be folded to those after it."""


class TargetsConfig(Section):
    """What the acoustic model classifies."""

    phone_set: PhoneSetName = Field("timit48", description="the phones; cmu39: of the CMU dictionary, and silence")
    states: Literal[1, 3] = Field(3, description="HMM states a phone")
