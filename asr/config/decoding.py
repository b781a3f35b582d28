"""Settings of the language model, decoding and scoring."""

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from asr.config.phone_set import PhoneSetSetting
from asr.config.section import Section
from asr.phones.phone_set import load_phone_set


class LmConfig(Section):
    """The phone n-gram, estimated on the training transcripts."""

    order: int = Field(2, ge=1, le=9, description="phones in an n-gram, the predicted one included")
    word_starts: bool = Field(
        False,
        description="a phone that begins a word is a symbol of its own in the n-gram, but not in what is recognised; "
        "for corpora that have the phones of each word",
    )
    prune: float = Field(
        0.0, ge=0, description="n-grams are left out whose loss raises the perplexity by less than this share; 0: none"
    )


class DecodingConfig(Section):
    """The search for the best phones, and what the dev set may choose from for it."""

    search: Literal["graph", "greedy", "prefix_beam"] = Field(
        "graph",
        description="graph: the best path under the n-gram; for models trained by CTC also greedy: the best class of "
        "each frame, without n-gram, and prefix_beam: the phones that are best over all alignments, under the n-gram",
    )
    prefixes: int = Field(16, gt=0, le=1000, description="prefixes that prefix_beam keeps in each frame")
    beam: float = Field(16.0, gt=0, description="cost (nats) over that of the best path at which a path is given up")
    ctc: Literal["standard", "modified"] = Field(
        "standard", description="topology of the graph under CTC; modified: no blank is needed between two equal phones"
    )
    acoustic_scales: list[PositiveFloat] = Field(
        [0.3, 0.5, 0.7, 1.0, 1.4, 2.0],
        min_length=1,
        description="factors of the acoustic log scores, from which dev chooses",
    )
    prior_scales: list[NonNegativeFloat] = Field(
        [0.25, 0.5, 0.75, 1.0],
        min_length=1,
        description="factors of the log priors that are subtracted from the log posteriors of HMM states, from which "
        "dev chooses; 0: none; without effect under CTC",
    )
    insertion_penalties: list[float] = Field(
        [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0],
        min_length=1,
        description="costs (nats) of each phone, from which dev chooses",
    )
    lm_weights: list[PositiveFloat] = Field(
        [1.0],
        min_length=1,
        description="factors of the log probabilities of the n-gram, from which dev chooses; those of HMM transitions "
        "weigh 1; under CTC only the ratio to the acoustic scale counts",
    )
    ensemble: list[Path] = Field(
        [],
        description="bundles or runs of further models, with the same features, targets and subsampling, that decode "
        "with this one: by the mean of the posteriors of each frame, or in prefix_beam by that of the log "
        "probabilities of a phone sequence, which suits CTC, whose models need not agree on frames",
    )
    confidences: bool = Field(
        True, description="a score, 0 to 1, for each recognised phone, from all paths under the n-gram up to order 3"
    )
    nbest: int = Field(
        0, ge=0, le=10_000, description="phone sequences of each utterance in nbest.jsonl; 0: write none"
    )
    lattices: bool = Field(False, description="write lattices.jsonl, and lattices.txt in Kaldi's text format")
    lattice_beam: float = Field(
        8.0, gt=0, description="cost (nats) over that of the best path up to which lattices and n-best lists are exact"
    )
    lattice_density: float = Field(
        100.0, gt=0, description="arcs in each frame of a lattice, on average; a beam that would give more is narrowed"
    )

    @model_validator(mode="after")
    def _search_can_do_it(self) -> "DecodingConfig":
        if self.search == "greedy" and (self.nbest or self.lattices):
            raise ValueError("greedy finds one sequence; set nbest: 0 and lattices: false, or another search")
        if self.search != "prefix_beam":
            return self
        if self.lattices:
            raise ValueError("lattices need a graph; set lattices: false, or search: graph")
        if self.ctc == "modified":
            raise ValueError("ctc: modified needs a graph; set ctc: standard, or search: graph")
        if self.nbest > self.prefixes:
            raise ValueError(f"nbest: prefix_beam has no more than its prefixes ({self.prefixes}); raise prefixes")
        return self


class ScoringConfig(Section):
    """The phone error rate."""

    phone_set: PhoneSetSetting = Field(
        load_phone_set("timit39"),
        description="phones to which references and hypotheses are folded; a name or a path, as targets.phone_set, "
        "which is the default itself where it cannot be folded to timit39",
    )
    bootstrap: int = Field(10000, gt=0, description="samples from which the confidence interval is drawn")
