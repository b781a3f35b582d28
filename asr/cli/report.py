"""`asr report`: report.html and report.md of a run."""

from pathlib import Path
from typing import Annotated

import typer


def report_command(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run, such as runs/timit_sample/dnn.")],
) -> None:
    """Write report.html (a single file that works offline) and report.md into a run's folder."""
    from asr.report.report import report
    from asr.report.run_files import require_run
    from asr.storage.output_folder import output_folder

    require_run(run)
    with output_folder(run, "run", "RUN"):
        html = report(run)
    print(html)
    print(html.with_suffix(".md"))
