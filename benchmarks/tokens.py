"""Reading, splitting and tokenising 1.3 million questions, and building batches of them.

The questions are made here: as many words as Quora's have (log-normal, median 11, 99th percentile
39, at most 65), drawn by Zipf's law; a 30,000-line vocabulary holds the frequent words and pieces
of the others. One row in fifty is not plain ASCII. All is measured in a process of its own: seconds
by the clock and of CPU, peak memory, and examples a second of batches of 32 on one core, the choice
of their rows included. Usage:

    python -m benchmarks.tokens [ROWS]
"""

from __future__ import annotations

import argparse
import itertools
import resource
import string
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WORDS, FREQUENT = 200_000, 22_000
MEDIAN, SIGMA, MOST = 11, 0.544, 65
BATCH, BATCHES, LENGTH = 32, 10_000, 128
_CHUNK = 100_000


def main(rows: int) -> None:
    """Makes the files and measures them in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.tokens"]
        for step in ("make", "measure"):
            subprocess.run([*command, step, folder, str(rows)], check=True)


def make(folder: Path, rows: int) -> None:
    """Writes questions.zip (one csv: qid, text, label) and vocab.txt."""
    rng = np.random.default_rng(0)
    words = _words(rng)
    (folder / "vocab.txt").write_text("\n".join(_vocabulary(words)) + "\n", encoding="utf-8")
    chances = np.cumsum(np.arange(3.0, WORDS + 3) ** -1.15)
    with (
        zipfile.ZipFile(
            folder / "questions.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as packed,
        packed.open("questions.csv", "w") as file,
    ):
        file.write(b"qid,text,label\n")
        for first in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - first)
            file.write(_lines(rng, words, chances, first, count).encode())


def measure(folder: Path) -> None:
    """Prints what every step takes."""
    from bertsweep import data, tokens
    from bertsweep.spec.data_models import Data

    described = Data(source=str(folder / "questions.zip"))
    dataset = _timed(
        "read, cleaned, split", lambda: data.prepare(described, cache=folder, base=folder)
    )

    def tokenise() -> Path:
        vocabulary = folder / "vocab.txt"
        return tokens.tokenize_dataset(dataset, vocabulary=vocabulary, lowercase=True, cache=folder)

    made = _timed("tokenised", tokenise)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    _timed("tokenised a second time", tokenise)
    print(f"{'peak memory':<26} {peak:7.2f} GB")
    train = tokens.Tokens.open(made, "train")
    lengths = train.lengths(LENGTH)
    shares = np.percentile(lengths, [50, 99])
    said = f"{shares[0]:.0f} (median), {shares[1]:.0f} (99th percentile)"
    print(f"{'word pieces a question':<26} {said}")
    _batches(train, lengths)


def _batches(train: Any, lengths: Any) -> None:
    """The rows of a whole epoch are chosen, and the first batches of it built."""
    from bertsweep.training.batches import epoch_batches

    begun = time.process_time()
    chosen = epoch_batches(lengths, batch_size=BATCH, seed=0, epoch=0)
    choosing = (time.process_time() - begun) / train.rows
    some = list(itertools.islice(chosen, BATCHES))
    begun = time.process_time()
    for rows in some:
        train.batch(rows, max_seq_length=LENGTH)
    building = (time.process_time() - begun) / sum(map(len, some))
    print(f"{'batches':<26} {1 / (choosing + building):7,.0f} examples/s of one core")
    print(f"{'':<26} {1e6 * choosing:.2f} µs to choose a row, {1e6 * building:.2f} µs to build it")


def _timed(what: str, call: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<26} {wall:7.2f} s, {cpu:.2f} s of CPU", flush=True)
    return result


def _words(rng: np.random.Generator) -> list[str]:
    """Different words of letters, the frequent ones short."""
    letters = np.array(list(string.ascii_lowercase))
    found: dict[str, None] = {}
    while len(found) < WORDS:
        place = len(found)
        longest = 4 if place < 200 else 7 if place < 5000 else 11
        sizes = rng.integers(2, longest + 1, 10_000)
        drawn = letters[rng.integers(0, len(letters), (10_000, longest))]
        for row, size in zip(drawn, sizes, strict=True):
            found.setdefault("".join(row[:size]))
            if len(found) in (200, 5000):
                break
    return list(found)[:WORDS]


def _vocabulary(words: list[str]) -> list[str]:
    """30,000 lines: special tokens, signs, letters, frequent words, and pairs of letters inside."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    signs = [*string.punctuation, *string.digits, *(f"##{digit}" for digit in string.digits)]
    letters = [start + letter for start in ("", "##") for letter in string.ascii_lowercase]
    pairs = [f"##{a}{b}" for a in string.ascii_lowercase for b in string.ascii_lowercase]
    lines = list(dict.fromkeys([*special, *signs, *letters, *words[:FREQUENT], *pairs]))
    return [*lines, *(f"[unused{number}]" for number in range(30_000 - len(lines)))]


def _lines(rng: np.random.Generator, words: list[str], chances: Any, first: int, count: int) -> str:
    sizes = np.clip(np.round(rng.lognormal(np.log(MEDIAN), SIGMA, count)), 1, MOST).astype(int)
    drawn = np.searchsorted(chances, rng.random(int(sizes.sum())) * chances[-1])
    ends = np.cumsum(sizes)
    positive = rng.random(count) < 0.06
    lines = []
    for row, (end, size) in enumerate(zip(ends, sizes, strict=True)):
        text = " ".join([words[word] for word in drawn[end - size : end]]).capitalize()
        comma = ", or what" if row % 3 == 0 else ""
        accent = " in Málaga" if row % 50 == 0 else ""
        lines.append(f'{first + row:020x},"{text}{comma}{accent}?",{int(positive[row])}\n')
    return "".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["measure"]:
        measure(Path(sys.argv[2]))
    else:
        parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
        parser.add_argument("rows", nargs="?", type=int, default=1_300_000)
        main(parser.parse_args().rows)
