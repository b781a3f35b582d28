"""The folder form of a report: the report with an error browser, which shows and plays every test utterance."""
