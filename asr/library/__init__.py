"""What the library's face is made of: samples in, posteriors and transcripts out."""
