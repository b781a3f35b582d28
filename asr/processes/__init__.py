"""The processes that work together, one a device, started by `--devices` or, on one or more machines, by torchrun."""
