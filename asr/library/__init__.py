"""What the library's objects are made of: samples as people have them, posteriors, and transcripts that show themselves."""
