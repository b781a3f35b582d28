"""Settings of the classes."""

from typing import Literal

from pydantic import Field

from asr.config.section import Section
from asr.phones.phone_set import PhoneSetName


class TargetsConfig(Section):
    """What the acoustic model classifies."""

    phone_set: PhoneSetName = Field("timit48", description="the phones; cmu39: of the CMU dictionary, and silence")
    states: Literal[1, 3] = Field(3, description="HMM states a phone")
