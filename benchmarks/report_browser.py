"""How long the error browser takes to open with many utterances, and how smoothly it scrolls, in headless Chromium.

The utterances are made up: 40 phones in 4 s each, a quarter of them wrong, with pictures. `open` is from the beginning
of the navigation until all are listed and can be filtered; `filter` until the list is drawn again; `frame` is the
95th percentile of the time from one frame to the next while scrolling fast. `open cpu` and `frame cpu`
(a mean) are what the page's thread computes, which a busy machine changes less.

    python benchmarks/report_browser.py [--utterances 5000]
"""

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.phone_set import load_phone_set
from asr.report.browser.folder import about_run, write_browser
from asr.report.pictures import SAMPLE_RATE, picture
from asr.report.tiers import timed_pairs
from asr.scoring.edit_alignment import count_errors, edit_alignment

PHONES, SECONDS = 40, 4.0
STEPS, PACE = 120, 400
"""Frames of scrolling, and pixels a frame: a screen in two frames."""


def utterances(number: int) -> Iterator[dict[str, Any]]:
    """Rows as the report writes them."""
    generator = random.Random(0)
    phone_set = load_phone_set("timit39")
    for place in range(number):
        said = generator.choices(list(phone_set), k=PHONES)
        heard = [phone if generator.random() > 0.2 else generator.choice(list(phone_set)) for phone in said]
        heard = [phone for phone in heard if generator.random() > 0.05]
        sides = []
        for symbols in (said, heard):
            times = np.linspace(0, SECONDS, len(symbols) + 1)
            sides.append([PhoneSegment(*each, 0.8) for each in zip(symbols, times[:-1], times[1:], strict=True)])
        pairs = edit_alignment(said, heard)
        counts = count_errors(pairs)
        timed = timed_pairs(pairs, *(Transcript("u", phones) for phones in sides), phone_set)
        yield {
            "name": f"utterance-{place:05}",
            "speaker": f"speaker-{place % 100:03}",
            "seconds": SECONDS,
            "counts": [counts.substitutions, counts.deletions, counts.insertions, counts.reference_phones],
            "pairs": [pair.to_json() for pair in timed],
            "text": "she had your dark suit in greasy wash water all year",
            "words": [[f"word{word}", 400 * word, 400 * word + 400] for word in range(10)],
            "groups": {"sex": "female" if place % 2 else "male", "dialect": f"dr{place % 8}"},
            "picture": f"pictures/{place % 50:05}.png",
        }


def make(folder: Path, number: int) -> None:
    """Writes the error browser into a folder."""
    noise = np.random.default_rng(0)
    (folder / "pictures").mkdir()
    for place in range(50):
        samples = noise.standard_normal(int(SECONDS * SAMPLE_RATE)).astype(np.float32) / 8
        (folder / "pictures" / f"{place:05}.png").write_bytes(picture(samples))
    about = about_run("benchmark", 25.0, number, load_phone_set("timit39")) | {"audio": "link"}
    write_browser(folder, about, utterances(number))


def measure(folder: Path) -> dict[str, float]:
    """Seconds to open and to filter, and milliseconds a frame while scrolling."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(120_000)
        clock = page.context.new_cdp_session(page)
        clock.send("Performance.enable", {"timeDomain": "threadTicks"})
        started = perf_counter()
        page.goto((folder / "errors.html").as_uri())
        page.wait_for_selector("#filters select", state="attached")
        opened, opened_cpu = perf_counter() - started, cpu(clock)
        filtered = page.evaluate(
            "() => { const start = performance.now(); const box = document.querySelector('[name=errors]');"
            " box.checked = true; box.dispatchEvent(new Event('input', {bubbles: true}));"
            " document.body.offsetHeight; return performance.now() - start; }"
        )
        before = cpu(clock)
        frames = page.evaluate(
            "([steps, pace]) => new Promise((done) => { const times = []; let last = performance.now(), step = 0;"
            " const next = () => { const now = performance.now(); times.push(now - last); last = now;"
            " if (step++ === steps) return done(times); scrollTo(0, step * pace); requestAnimationFrame(next); };"
            " requestAnimationFrame(next); })",
            [STEPS, PACE],
        )
        scrolled = cpu(clock) - before
        browser.close()
    return {
        "open": opened,
        "open cpu": opened_cpu,
        "filter": filtered / 1000,
        "frame": float(np.percentile(frames[2:], 95)) / 1000,
        "frame cpu": scrolled / len(frames),
    }


def cpu(clock: Any) -> float:
    """Seconds that the page's thread has computed so far."""
    metrics = clock.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), arguments.utterances)
        figures = measure(Path(folder))
    for name, seconds in figures.items():
        row = {"benchmark": "report_browser", "system": "asr", "measure": name, "utterances": arguments.utterances}
        print(json.dumps(row | {"figure": round(seconds, 3), "unit": "s", "threads": 1}))


if __name__ == "__main__":
    main()
