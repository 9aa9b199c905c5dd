"""Questions generated from templates, so that a sweep can be tried without data or network.

Class 0 is sincere questions, class 1 loaded ones, which presuppose their answer. Most loaded
questions can be recognised by a word or an opening, some sincere ones share these words, and a few
labels are wrong: a classifier can learn much of the task and never all of it.
"""

from __future__ import annotations

import random
import re
from functools import cache

QUESTIONS = "builtin:questions"

_ROWS = 3_000
_SEED = 20_240_501
_LOADED = 0.24
_WRONG = 0.03
"""Share of rows whose label is flipped after the question is generated."""
_SHARED = {0: 0.2, 1: 0.3}
"""Share of the questions of each class whose opening both classes share."""
_BLAMING = {0: 0.12, 1: 0.75}
"""Share of the questions of each class that use a blaming adjective."""

_WORDS = {
    "neutral": (
        "old new small large cheap red green quiet local early useful popular common safe simple "
        "famous heavy light modern"
    ),
    "blaming": (
        "useless stupid lazy awful terrible ridiculous greedy selfish rude boring silly pathetic "
        "dishonest worthless horrible foolish"
    ),
    "people": (
        "bakers cyclists painters farmers teachers students drivers gardeners singers dancers "
        "tourists neighbors sailors pilots chefs writers readers runners swimmers hikers campers "
        "dentists barbers tailors plumbers"
    ),
    "things": (
        "coffee tea bread cheese soup rice pasta apples oranges tomatoes potatoes onions bicycles "
        "trains buses boats cars phones computers cameras books newspapers movies songs paintings "
        "gardens kitchens bridges museums libraries parks rivers mountains lakes beaches cats dogs "
        "horses birds chickens"
    ),
    "place": "london paris rome tokyo berlin madrid vienna lisbon chicago boston",
    "action": (
        "buy sell clean carry paint repair store share choose compare draw describe measure "
        "collect visit photograph study love borrow return"
    ),
    "when": (
        "in_winter in_summer on_weekends at_night before_breakfast after_work during_holidays "
        "every_morning"
    ),
    "insist": "always never secretly pretend_to refuse_to insist_they dare_to blindly stubbornly",
}
_OPENINGS = {
    0: (
        "how do {people} {action} {adjective} {things} {when}?",
        "what is the best way to {action} {adjective} {things} {when}?",
        "where can {people} {action} {adjective} {things} in {place}?",
        "which {adjective} {things} do {people} {action} {when}?",
        "how much does it cost to {action} {adjective} {things} in {place}?",
        "when should {people} {action} {things} in {place}?",
        "what should I know before I {action} {adjective} {things} {when}?",
        "can {people} {action} {adjective} {things} {when}?",
    ),
    1: (
        "why do {people} {insist} {action} {adjective} {things} {when}?",
        "why do all {people} {insist} {action} {things} {when}?",
        "when will {people} in {place} admit that {things} are {adjective}?",
        "how can {people} {insist} {action} {adjective} {things}?",
        "do {adjective} {people} in {place} really {insist} {action} {things}?",
        "why does nobody stop {adjective} {people} who {action} {things} {when}?",
    ),
}
_SHARED_OPENINGS = (
    "why do {people} {action} {adjective} {things} {when}?",
    "why are {things} in {place} so {adjective}?",
    "is it {adjective} to {action} {things} {when}?",
    "what makes {adjective} {people} {action} {things} {when}?",
    "do {people} in {place} {action} {adjective} {things}?",
    "are {adjective} {things} good for {people} {when}?",
)


@cache
def questions() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns 3,000 distinct questions and their labels, "0" or "1"; the same in every process."""
    chance = random.Random(_SEED)
    rows: dict[str, str] = {}
    while len(rows) < _ROWS:
        loaded = int(chance.random() < _LOADED)
        question = _question(chance, loaded)
        wrong = chance.random() < _WRONG
        rows.setdefault(question, str(1 - loaded if wrong else loaded))
    return tuple(rows), tuple(rows.values())


def words() -> tuple[str, ...]:
    """Returns every word that can occur in a question, lower-cased and sorted."""
    patterns = [*_OPENINGS[0], *_OPENINGS[1], *_SHARED_OPENINGS]
    texts = [re.sub(r"\{\w+\}", " ", pattern) for pattern in patterns]
    texts += [options.replace("_", " ") for options in _WORDS.values()]
    return tuple(sorted(set(re.findall(r"[a-z]+", " ".join(texts).lower()))))


def _question(chance: random.Random, loaded: int) -> str:
    openings = _SHARED_OPENINGS if chance.random() < _SHARED[loaded] else _OPENINGS[loaded]
    opening = chance.choice(openings)
    drawn = {name: chance.choice(options.split()) for name, options in _WORDS.items()}
    drawn["adjective"] = drawn["blaming" if chance.random() < _BLAMING[loaded] else "neutral"]
    question = opening.format(**{name: word.replace("_", " ") for name, word in drawn.items()})
    return question[0].upper() + question[1:]
