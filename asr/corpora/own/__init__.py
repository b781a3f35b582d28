"""Corpora of one's own: layouts that many corpora share, each read into `Utterance`s by a file."""
