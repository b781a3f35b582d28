"""Small languages, and slow, exact searches that the decoder is compared with."""
