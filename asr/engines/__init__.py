"""Where work on many items is done: in threads here, or on a Ray cluster."""
