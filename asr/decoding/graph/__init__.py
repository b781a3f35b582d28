"""Decoding graphs: a topology of HMM or CTC composed with a phone n-gram."""
