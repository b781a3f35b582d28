"""Reading audio: any format, rate and number of channels, as mono float samples at a given rate."""

from asr.audio.containers import OTHER_SUFFIXES
from asr.audio.decoder import AudioInfo
from asr.audio.opening import audio_status
from asr.audio.reading import audio_info, read_audio, read_blocks
from asr.audio.sndfile import AUDIO_SUFFIXES

__all__ = [
    "AUDIO_SUFFIXES",
    "OTHER_SUFFIXES",
    "AudioInfo",
    "audio_info",
    "audio_status",
    "read_audio",
    "read_blocks",
]
