"""Searches for the best phones: beam, exact in batches, greedy, prefix beam."""
