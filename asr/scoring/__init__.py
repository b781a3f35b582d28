"""Phone error rates: edit alignments of phone strings, treatments of silence, intervals, calibration."""
