"""Phone n-grams: estimation, pruning, ARPA files."""
