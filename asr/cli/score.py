"""`asr score`: phone error rates of any hypotheses against their references."""

from pathlib import Path
from typing import Annotated

import typer

from asr.errors import InputError


def score_command(
    references: Annotated[Path, typer.Argument(help="References as JSON Lines, such as decode/test/references.jsonl.")],
    hypotheses: Annotated[Path, typer.Argument(help="Hypotheses of the same utterances, as JSON Lines.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for results.json, utterances.jsonl and the other results."),
    ] = None,
    nbest: Annotated[
        Path | None,
        typer.Option(
            "--nbest", help="N-best lists, for the oracle PER.", show_default="nbest.jsonl next to HYPOTHESES"
        ),
    ] = None,
    phone_set: Annotated[
        str,
        typer.Option("--phone-set", help="Phones to fold both sides to: timit39, timit48, timit61, cmu39, or a file."),
    ] = "timit39",
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=1, help="Number of bootstrap samples.")] = 10000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed of the bootstrap.")] = 0,
    by_speaker: Annotated[bool, typer.Option("--by-speaker", help="Also show a table by speaker.")] = False,
    sclite: Annotated[
        bool, typer.Option("--sclite", help="Also write sclite.pra and sclite.dtl, as NIST's sclite does, into --out.")
    ] = False,
) -> None:
    """Score hypotheses against references: PER with silence counted, optional and removed."""
    if sclite and out is None:
        raise InputError("--sclite writes files: give their folder with --out")
    from rich.console import Console

    from asr.config import ScoringConfig
    from asr.phones.phone_set import load_phone_set
    from asr.report.tables import corpus_table, per_table, speaker_table
    from asr.scoring.sclite_reports import write_sclite_reports
    from asr.scoring.score import score_files
    from asr.scoring.stage import score_stage
    from asr.storage.output_folder import output_folder
    from asr.storage.run_layout import RESULTS

    config = ScoringConfig(phone_set=load_phone_set(phone_set), bootstrap=bootstrap)
    if out is None:
        result = score_files(references, hypotheses, None, config, seed)
    else:
        with output_folder(out, "score", "--out"):
            result = score_stage(references, hypotheses, out, config, seed, nbest)
            if sclite:
                write_sclite_reports(result, out, hypotheses.name)
    console = Console()
    console.print(per_table(result))
    if result.by_corpus:
        console.print(corpus_table(result))
    if by_speaker:
        console.print(speaker_table(result))
    if out is not None:
        print(out / RESULTS)
