"""Public corpora: where they are, downloading and unpacking them."""
