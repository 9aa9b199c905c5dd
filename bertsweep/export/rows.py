"""The texts on which an export is compared with its checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep import data
from bertsweep.errors import BertsweepError
from bertsweep.spec import from_plain
from bertsweep.tokens import redrawn

if TYPE_CHECKING:
    from bertsweep.progress import Progress
    from bertsweep.results import Sweep

Row = str | tuple[str, str]
"""A text, or a pair of texts."""

HARD_TEXTS = (
    "",
    " ",
    "Why is the sky blue?",
    "What's the cost-benefit of e-mail (v2.0), in US$ & €?",
    "Größe, straße, STRASSE, ẞ",
    "ﬁnance, ﬂow, œuvre, Ⅷ, ½, ①",
    "full-width ＡＢＣ１２３！",
    "a literal [SEP] and [CLS] and [UNK] and [MASK] ##ing",
    "NUL \x00 in\x00side, bell \x07, escape \x1b, del \x7f, next line \x85",
    "tab\tnew line\ncarriage return\r\nline separator\u2028paragraph\u2029end",
    "no-break\u00a0space, thin\u2009space, wide\u3000space, zero\u200bwidth, soft\u00adhyphen",
    "naïve café, ǅ, Ångström, e\u0301 and é, Zalgo H\u0336\u0325e\u0300\u0301\u0302",
    "ΟΔΟΣ ΣΊΣΥΦΟΣ, İstanbul, ısı, Ж",
    "東京は晴れ。 中文字符 한국어 豈",
    "العربية עברית हिन्दी ไทย",
    "emoji 😀👩‍👩‍👧‍👦🇩🇪 1️⃣ ♥",
    "private \ue000 noncharacter \uffff replacement \ufffd \U000e0041",
    "math ∑∫√ 𝒳𝔘 x² “quotes” ‘single’ — dash … ¿qué?",
    "x" * 400,
    "x" * 401,
    "é" * 401,
    "long " * 600,
    "https://example.org/a_b?c=d&e=%20#f user@example.org",
)
"""Texts on which tokenizers are known to differ; every export is checked on them too."""


def hard_rows(*, pair: bool) -> list[Row]:
    """The hard texts, or pairs in which each stands first once and second once."""
    if not pair:
        return list(HARD_TEXTS)
    return list(zip(HARD_TEXTS, (*HARD_TEXTS[7:], *HARD_TEXTS[:7]), strict=True))


def validation_rows(
    sweep: Sweep,
    *,
    split: int | None = None,
    cache: Path,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> list[Row] | None:
    """The validation rows of a sweep, read again from its data source.

    `split` is the seed of a repeat whose rows were drawn anew: then they are its own validation
    rows. None where they cannot be read any more, or are others than those that the sweep was begun
    with; `notify` then receives a sentence that says why.
    """
    import pandas as pd

    started = sweep.state.started
    try:
        spec = from_plain(dict(started.spec))
        stated = spec.data.model_copy(update={"positive": started.positive})
        dataset = data.prepare(stated, cache=cache, base=Path(started.base), progress=progress)
    except BertsweepError as error:
        notify(f"the sweep's data cannot be read again, so built-in texts stand in: {error}")
        return None
    if dataset.hash != started.data.get("hash"):
        notify("the sweep's data has changed since it began, so built-in texts stand in.")
        return None
    frame = dataset.splits["validation"]
    if split is not None:
        train = dataset.splits["train"]
        both = pd.concat([train, frame], ignore_index=True)
        _, own = redrawn(both["label"].to_numpy(), train=len(train), seed=split)
        frame = both.iloc[own]
    columns = [frame[name].tolist() for name in ("text", "text_b") if name in frame]
    return rows_of(columns)


def rows_of(columns: Sequence[Sequence[str]]) -> list[Row]:
    """Rows from one column of texts, or from two."""
    return list(columns[0]) if len(columns) == 1 else list(zip(*columns, strict=True))
