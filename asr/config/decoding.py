"""Settings of language model, decoding and scoring."""

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from asr.config.phone_set import PhoneSetSetting
from asr.config.section import Section
from asr.phones.phone_set import load_phone_set


class LmConfig(Section):
    """The phone n-gram, estimated on the training transcripts."""

    order: int = Field(2, ge=1, le=9, description="phones of an n-gram")
    word_starts: bool = Field(
        False,
        description="a phone that begins a word is a symbol of its own in the n-gram, and what is recognised the same "
        "phone; for corpora that have the phones of each word",
    )
    prune: float = Field(
        0.0, ge=0, description="n-grams whose loss raises the perplexity by a smaller share are left out; 0: none"
    )


class DecodingConfig(Section):
    """Search; where a list has more than one value, the dev set chooses."""

    search: Literal["graph", "greedy", "prefix_beam"] = Field(
        "graph",
        description="graph: the best path under the n-gram; under CTC also greedy: the best class of each frame, "
        "without n-gram, or prefix_beam: the phones that are best over all alignments, under the n-gram",
    )
    prefixes: int = Field(16, gt=0, le=1000, description="prefixes that prefix_beam keeps")
    beam: float = Field(16.0, gt=0, description="cost (natural log) over the best path's at which a path is given up")
    ctc: Literal["standard", "modified"] = Field(
        "standard", description="topology under CTC; modified: two phones that are the same need no blank between them"
    )
    acoustic_scales: list[PositiveFloat] = Field(
        [0.3, 0.5, 0.7, 1.0, 1.4, 2.0], min_length=1, description="times the acoustic log scores"
    )
    prior_scales: list[NonNegativeFloat] = Field(
        [0.25, 0.5, 0.75, 1.0],
        min_length=1,
        description="times the log priors that are taken off the log posteriors of HMM states; 0: none; nothing under "
        "CTC",
    )
    insertion_penalties: list[float] = Field(
        [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0], min_length=1, description="cost (natural log) of each phone entered"
    )
    lm_weights: list[PositiveFloat] = Field(
        [1.0],
        min_length=1,
        description="times the n-gram's log probabilities, beside those of HMM transitions, which weigh 1; under CTC "
        "there are none, and only the ratio to the acoustic scale counts",
    )
    ensemble: list[Path] = Field(
        [],
        description="bundles or runs of further models, of the same features, targets and subsampling, that decode "
        "with this one: by the mean of the posteriors of each frame, or in prefix_beam by that of the log "
        "probabilities of a phone sequence, which suits CTC, whose models need not agree on frames",
    )
    nbest: int = Field(0, ge=0, le=10_000, description="phone sequences an utterance in nbest.jsonl; 0 writes none")
    lattices: bool = Field(False, description="write lattices.jsonl, and lattices.txt in Kaldi's text format")
    lattice_beam: float = Field(
        8.0, gt=0, description="cost (natural log) over the best path's up to which lattice and n-best list are exact"
    )
    lattice_density: float = Field(
        100.0, gt=0, description="arcs a frame of a lattice, on average; where it would have more, its beam is narrowed"
    )

    @model_validator(mode="after")
    def _search_can_do_it(self) -> "DecodingConfig":
        if self.search == "greedy" and (self.nbest or self.lattices):
            raise ValueError("greedy finds one sequence; set nbest: 0 and lattices: false, or another search")
        if self.search != "prefix_beam":
            return self
        if self.lattices:
            raise ValueError("lattices are of a graph; set lattices: false, or search: graph")
        if self.ctc == "modified":
            raise ValueError("ctc: modified is a graph's; set ctc: standard, or search: graph")
        if self.nbest > self.prefixes:
            raise ValueError(f"nbest: prefix_beam has no more than its prefixes ({self.prefixes}); raise prefixes")
        return self


class ScoringConfig(Section):
    """The phone error rate."""

    phone_set: PhoneSetSetting = Field(
        load_phone_set("timit39"),
        description="phones to which references and hypotheses are folded: as targets.phone_set; if that cannot be "
        "folded to timit39, it is the default itself",
    )
    bootstrap: int = Field(10000, gt=0, description="samples of the confidence interval")
