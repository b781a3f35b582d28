"""Forced alignment: where in the audio the phones of a known transcript lie, and how far that is from hand labels."""
