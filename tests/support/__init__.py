"""What several tests use, a folder for each kind of test."""
