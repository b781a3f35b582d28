"""Corpora: what is on disk, as Lhotse cuts. asr.corpus_registry lists those that can be read."""
