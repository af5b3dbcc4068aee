"""Measure how quickly `personae review` shows and corrects a film with many tracks.

python benchmarks/review_speed.py [--tracks 5000] [--method hac]
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.edited_film import edited_film
from helpers.review_client import ReviewClient
from personae.review.app import ReviewApp

TRACKS_PER_CHARACTER = 25
UNKNOWN_SHARE = 0.1
MAX_WAIT_S = 600.0


def measure(title: str, call: Callable[[], str]) -> str:
    """Print the wall time, the CPU time and the size of an answer, and return it."""
    wall, cpu = time.perf_counter(), time.process_time()
    text = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"| {title} | {wall:.2f} | {cpu:.2f} | {len(text.encode()) / 1000:.0f} |", flush=True)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=5000)
    parser.add_argument("--method", default="hac", help="the clustering method")
    given = parser.parse_args()
    unknown = round(given.tracks * UNKNOWN_SHARE)
    characters = (given.tracks - unknown) // TRACKS_PER_CHARACTER
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "film.personae"
        edited_film(
            folder,
            method=given.method,
            characters=characters,
            tracks_each=TRACKS_PER_CHARACTER,
            unknown=unknown,
        )
        print(f"{given.tracks} tracks, method {given.method}\n")
        print("| | wall s | CPU s | kB |\n|---|---:|---:|---:|")
        app: list[ReviewApp] = []
        measure("open the folder", lambda: app.append(ReviewApp(folder)) or "")
        app[0].reclustering.wait(MAX_WAIT_S)
        client = ReviewClient(app[0]).enter()
        measure("the evidence, in the background", lambda: wait_for_evidence(app[0]))
        page = measure("first page", lambda: client.get("/"))
        picture = re.search(r'src="([^"]+\.jpg[^"]*)"', page)
        if picture is not None:
            measure("a picture", lambda: client.http.get(picture[1]).text)
        measure("a character", lambda: client.get("/character/P01"))
        measure("unknown", lambda: client.get("/unknown"))
        measure("first question", lambda: client.get("/queue"))
        measure("answer a question, until the next is shown", lambda: answer(client, "no"))
        measure("clustered anew", lambda: wait(app[0]))
        measure("the queue in its new order", lambda: client.get("/queue"))
        measure("undo, until the cast is shown", lambda: undo(client))
        measure("clustered anew", lambda: wait(app[0]))
        app[0].reclustering.stop()


def answer(client: ReviewClient, text: str) -> str:
    """Answer the question that is shown, and return the next page."""
    client.answer(text)
    return client.get("/queue")


def undo(client: ReviewClient) -> str:
    """Undo the latest edit, and return the cast."""
    latest = client.app.film.state().to_undo
    client.edit("undo", edit=latest.number if latest else 0)
    return client.get("/")


def wait_for_evidence(app: ReviewApp) -> str:
    """Wait until the evidence is measured."""
    until = time.monotonic() + MAX_WAIT_S
    while not app.film.evidence.version and time.monotonic() < until:
        time.sleep(0.05)
    return ""


def wait(app: ReviewApp) -> str:
    """Wait until the cast fits the edits; return why it does not."""
    app.reclustering.wait(MAX_WAIT_S)
    return app.reclustering.error or ""


if __name__ == "__main__":
    main()
