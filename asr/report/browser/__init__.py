"""The folder form of a report: the report with an error browser, in which every test utterance is seen and heard."""
