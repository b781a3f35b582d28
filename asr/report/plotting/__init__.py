"""Figures for papers, drawn with matplotlib (extra `plot`): narrow, black and white, the same bytes every time."""
