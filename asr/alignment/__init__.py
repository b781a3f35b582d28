"""Forced alignment: when the phones of a known transcript occur in the audio, and how far that is from hand labels."""
