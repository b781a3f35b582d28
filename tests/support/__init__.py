"""What several tests use: small models, made corpora, exact searches, the command as a function."""
