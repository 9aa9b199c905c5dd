"""BERT's basic tokenizer: text → words, by the rules of Model Garden's `BasicTokenizer`.

Source: `official.nlp.tools.tokenization`. Its loops over characters are two table look-ups a
character here, and plain ASCII text, where all the rules come to one pattern, takes that.
"""

from __future__ import annotations

import re
import unicodedata

_CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
_ascii_words = re.compile(r"[A-Za-z0-9]+|[^ A-Za-z0-9]").findall


def split_words(text: str, *, lowercase: bool) -> list[str]:
    """The words of a text, in order: punctuation and Chinese characters are words of their own.

    `lowercase` also strips accents, as BERT does.
    """
    if text.isascii() and text.isprintable():
        return _ascii_words(text.lower() if lowercase else text)
    text = text.translate(_CLEAN)
    if lowercase:
        # Spaces stop neither lower-casing (final sigma) nor decomposition from looking at one word
        # only, so the whole text gives what its words would give one by one.
        text = unicodedata.normalize("NFD", text.lower())
        return text.translate(_SPLIT_WITHOUT_ACCENTS).split()
    return text.translate(_SPLIT).split()


class _Clean(dict[int, str]):
    """Code point → itself, nothing (control characters), a space, or set apart (Chinese)."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character in " \t\n\r" or category == "Zs":
            result = " "
        elif code in (0, 0xFFFD) or category in ("Cc", "Cf"):
            result = ""
        elif any(low <= code <= high for low, high in _CHINESE):
            result = f" {character} "
        else:
            result = character
        self[code] = result
        return result


class _Split(dict[int, str]):
    """Code point → itself, set apart (punctuation), or nothing (accents, where stripped)."""

    def __init__(self, *, strip_accents: bool) -> None:
        super().__init__()
        self._strip_accents = strip_accents

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        ascii_sign = 33 <= code <= 126 and not character.isalnum()
        if ascii_sign or category.startswith("P"):
            result = f" {character} "
        elif self._strip_accents and category == "Mn":
            result = ""
        else:
            result = character
        self[code] = result
        return result


_CLEAN = _Clean()
_SPLIT = _Split(strip_accents=False)
_SPLIT_WITHOUT_ACCENTS = _Split(strip_accents=True)
