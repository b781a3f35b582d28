"""Made speech: files, recordings and small corpora in the layouts of known ones."""
