"""Files that are written whole or not at all, locks, outputs that are replaced together, weights, file names."""
