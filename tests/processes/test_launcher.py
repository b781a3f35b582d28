"""A process ends with the one that started it."""

import os
import subprocess
import sys


def test_a_process_ends_with_torchrun_though_that_was_killed() -> None:
    wait = (
        "import time; from asr.processes.launcher import end_with_launcher; end_with_launcher(); print(1, flush=True); "
    )
    torchrun = ["sh", "-c", '"$0" -c "$1" & wait', sys.executable, f"{wait} time.sleep(60)"]
    variables = {**os.environ, "TORCHELASTIC_RUN_ID": "one"}
    with subprocess.Popen(torchrun, stdout=subprocess.PIPE, env=variables) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"1\n"
        started.kill()
        assert started.communicate(timeout=30) == (b"", None), "the end of the output is that of the process"
