"""Small models of each type, what they learn from, and a stand-in for CUDA graphs."""
