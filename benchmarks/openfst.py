"""Our decoding graphs for OpenFst, and so for kaldi_decoder."""

import kaldifst

from asr.decoding.graph.topology import Graph


def openfst(graph: Graph, insertion_penalty: float) -> kaldifst.StdConstFst:
    """The graph with the penalty added to the cost of each phone."""
    fst = kaldifst.StdVectorFst()
    for _ in range(graph.states):
        fst.add_state()
    fst.start = graph.start
    for source, target, ilabel, olabel, cost in graph.arcs:
        weight = cost + insertion_penalty if olabel else cost
        fst.add_arc(source, kaldifst.StdArc(ilabel, olabel, weight, target))
    for state, cost in graph.finals.items():
        fst.set_final(state, cost)
    return kaldifst.StdConstFst(fst)
