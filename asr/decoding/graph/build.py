"""The decoding graph: a topology, of HMMs or of CTC, composed with a phone n-gram.

Building one takes 5 to 180 ms for a bigram to a trigram of 61 phones, and about 3 s for the 50,000 n-grams of a 5-gram
without pruning: not enough to be worth keeping graphs on disk.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr.decoding.graph.grammar import grammar
from asr.decoding.graph.topology import Graph, ctc, hmm
from asr.errors import InputError
from asr.lm.arpa import read_arpa
from asr.lm.backoff import PackedNgrams
from asr.phones.classes import Topology


def build_graph(
    ngrams: PackedNgrams | Path | str,
    phones: Sequence[str],
    states: int = 1,
    self_loops: npt.NDArray[np.float64] | None = None,
    topology: Topology = "hmm",
    lm_weight: float = 1.0,
    modified_ctc: bool = False,
    order: int | None = None,
) -> Graph:
    """The graph of a topology under an n-gram, or that of an ARPA file.

    HMMs have `states` states a phone; `self_loops` [C]: probability of staying in each class's state; None: one half.
    `lm_weight` is the factor of the n-gram's log probabilities, not of the HMMs' transitions. `modified_ctc`: two equal
    phones need no blank between them. With an `order`, longer n-grams are left out.
    Raises InputError for a broken file, or one whose symbols are not `phones`.
    """
    packed = ngrams if isinstance(ngrams, PackedNgrams) else read_arpa(ngrams)
    try:
        acceptor = grammar(packed.unpacked(order), phones).weighted(lm_weight)
    except InputError as error:
        raise error if isinstance(ngrams, PackedNgrams) else InputError(str(error), Path(ngrams)) from error
    if topology == "ctc":
        return ctc(acceptor, len(phones), modified_ctc)
    return hmm(acceptor, states, np.full(len(phones) * states, 0.5) if self_loops is None else self_loops)
