"""Files that appear whole, locks, outputs that a command may replace, weights, and the names in a run's folder."""
