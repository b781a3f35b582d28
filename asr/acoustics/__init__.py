"""A trained acoustic model as a bundle on disk, and what turns its output into log posteriors."""
