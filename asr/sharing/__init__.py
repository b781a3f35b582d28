"""Models that others use: small bundles, and the cards that say what they are."""
