"""Changes to waveforms that make more speech from the same, each drawn by its caller.

One more, of vocal tract length, is made to the mel filters: see `asr.features.mel.warped`.
"""
