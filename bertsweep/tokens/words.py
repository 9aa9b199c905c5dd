"""BERT's basic tokenizer: splits text into words by the rules of Model Garden's `BasicTokenizer`.

Source: `official.nlp.tools.tokenization`. Its loops over characters are two `str.translate` passes
here, with tables that are filled as characters occur. For printable ASCII text all the rules amount
to one regular expression, which is faster still.
"""

from __future__ import annotations

import re
import unicodedata

CHINESE = (
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
    """Returns the words of a text, in order; `lowercase` also strips accents, as BERT does.

    Every punctuation mark and every Chinese character is a word of its own.
    """
    if text.isascii() and text.isprintable():
        return _ascii_words(text.lower() if lowercase else text)
    text = text.translate(_CLEAN)
    if lowercase:
        # Model Garden does this word by word. Neither lower-casing (final sigma) nor decomposition
        # looks beyond a space, so the whole text at once comes to the same.
        text = unicodedata.normalize("NFD", text.lower())
        return text.translate(_SPLIT_WITHOUT_ACCENTS).split()
    return text.translate(_SPLIT).split()


class _Clean(dict[int, str]):
    """A table for `str.translate`, first pass.

    Control characters are removed, white space becomes a space, and Chinese characters are
    surrounded by spaces.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character in " \t\n\r" or category == "Zs":
            result = " "
        elif code in (0, 0xFFFD) or category in ("Cc", "Cf"):
            result = ""
        elif any(low <= code <= high for low, high in CHINESE):
            result = f" {character} "
        else:
            result = character
        self[code] = result
        return result


class _Split(dict[int, str]):
    """A table for `str.translate`, second pass.

    Punctuation is surrounded by spaces, and accents are removed where `strip_accents`.
    """

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
