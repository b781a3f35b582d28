"""Transcripts and the formats in which they are read and written."""
