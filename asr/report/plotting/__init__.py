"""Figures for papers, drawn with matplotlib (extra `plot`): narrow, in black and white, and the same bytes every time."""
