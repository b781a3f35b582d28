"""Manifests as a whole: dividing, merging and measuring them."""
