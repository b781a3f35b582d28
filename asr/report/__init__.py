"""The results of a run as people read them: tables on a terminal, report.html and report.md."""
