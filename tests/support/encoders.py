"""Two tiny encoders of other sizes and tokenizers, for sweeps that search the encoder."""

from __future__ import annotations

from pathlib import Path

from tests.support.robertas import write_model


def two(folder: Path) -> tuple[str, ...]:
    """Settings that give a specification the built-in encoder, `tiny`, and an XLM-R, `xlmr`.

    The XLM-R is written into `folder`; it has 32 positions and a hidden size of 24.
    """
    other = write_model("xlm-roberta", folder / "xlmr")
    return (f"encoder={{tiny: {{source: 'builtin:tiny'}}, xlmr: {{source: '{other}'}}}}",)
