"""Many recordings in, transcripts or alignments out: what `asr transcribe` and `asr align` do."""
