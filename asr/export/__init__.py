"""Exports trained models to run without PyTorch."""
