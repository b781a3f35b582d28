"""What `asr.Recognizer` takes and returns: samples in, posteriors and transcripts out."""
