"""The figures of a run for TensorBoard, next to the scalars that its training wrote."""

from pathlib import Path

from asr.report.browser.utterances import shown_utterances
from asr.report.pictures import SAMPLE_RATE
from asr.report.plotting.paper import drawing, inches
from asr.report.plotting.results import draw_confusions
from asr.report.plotting.sources import tiers_of
from asr.report.plotting.speech import draw_speech, speech_height
from asr.report.run_files import read_run
from asr.scoring.results import worst
from asr.storage.files import adopt
from asr.storage.outputs import complete_outputs
from asr.storage.run_layout import TENSORBOARD

SHOWN = 8
"""Utterances with a spectrogram: those with the highest error rates."""
WIDTH = "170mm"


def tensorboard_images(run_dir: Path) -> Path:
    """Writes the confusion matrix, and spectrograms with reference and hypothesis, into `run_dir`/tensorboard.

    Returns that folder. Raises InputError where matplotlib is not installed, for a folder that is not a finished run,
    and where its transcripts are missing; an utterance whose recording is not known is left out.
    """
    from torch.utils.tensorboard import SummaryWriter

    run_dir = Path(run_dir)
    run = read_run(run_dir)
    chosen = {item.utterance for item in worst(run.utterances, SHOWN)}
    with complete_outputs(run_dir, (TENSORBOARD,)) as made:
        folder = made / TENSORBOARD
        with drawing(WIDTH, inches(WIDTH)) as figure, SummaryWriter(str(folder)) as writer:
            draw_confusions(figure, run)
            writer.add_figure("confusions", figure, close=False)
            for shown in shown_utterances(run_dir, run):
                if shown.name not in chosen or shown.recorded is None:
                    continue
                tiers = tiers_of(shown)
                with drawing(WIDTH, speech_height(tiers, inches(WIDTH))) as each:
                    draw_speech(each, shown.recorded.samples(SAMPLE_RATE), tiers)
                    writer.add_figure(f"utterances/{shown.name}", each, close=False)
        for path in folder.iterdir():
            adopt(path)
    return run_dir / TENSORBOARD
