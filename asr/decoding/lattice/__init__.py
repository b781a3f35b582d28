"""Lattices, n-best lists and posteriors over all paths through a graph."""
