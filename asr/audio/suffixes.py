"""The suffixes of files that hold audio."""

from asr.audio.containers import has_container_decoder

AUDIO_SUFFIXES = frozenset(
    {".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga", ".sph", ".nist"}
    | {".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"}
)
"""Read by libsndfile."""

OTHER_SUFFIXES = frozenset(
    {".m4a", ".m4b", ".m4r", ".aac", ".wma", ".amr", ".ape", ".wv", ".tta", ".shn", ".ac3", ".dts", ".ra", ".mka"}
    | {".mp4", ".m4v", ".webm", ".mkv", ".mov", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".3gp", ".ogv", ".rm", ".asf"}
)
"""Audio and video that libsndfile does not read."""


def readable_suffixes() -> frozenset[str]:
    """The suffixes, in lower case with their dot, of files that this installation can read."""
    return AUDIO_SUFFIXES | OTHER_SUFFIXES if has_container_decoder() else AUDIO_SUFFIXES
