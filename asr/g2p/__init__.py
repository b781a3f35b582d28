"""Grapheme to phoneme: pronunciations of words that a lexicon lacks, by a model of the lexicon's own spelling."""
