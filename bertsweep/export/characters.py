"""The characters that BERT's tokenizer treats alike, as regular expressions for others."""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections.abc import Callable, Sequence

from bertsweep.tokens.words import CHINESE


@functools.cache
def character_classes() -> dict[str, str]:
    """Regular expressions of the characters that `tokens.words` treats alike, by name."""
    tests: dict[str, Callable[[str, str], bool]] = {
        # str.split also splits at the separators of lines and paragraphs.
        "space": lambda c, kind: c in " \t\n\r" or kind in ("Zs", "Zl", "Zp"),
        "control": lambda c, kind: c == "\ufffd" or (kind in ("Cc", "Cf") and c not in "\t\n\r"),
        "accent": lambda _, kind: kind == "Mn",
        "punctuation": lambda c, kind: (
            kind.startswith("P") or (33 <= ord(c) <= 126 and not c.isalnum())
        ),
    }
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    kinds = list(map(unicodedata.category, characters))
    found = {
        name: _class([ord(c) for c, kind in zip(characters, kinds, strict=True) if test(c, kind)])
        for name, test in tests.items()
    }
    ranges = "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in CHINESE)
    return {**found, "chinese": f"[{ranges}]"}


def _class(codes: Sequence[int]) -> str:
    """A regular expression for one of these characters, given in order."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in ranges) + "]"
