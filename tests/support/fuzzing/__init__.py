"""The package's parsers, valid inputs for them, and damage to these."""
