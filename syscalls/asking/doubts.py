"""doubts: what in a sentence speaks against its being one request, whatever it may ask for: each is a piece of evidence for `agreed`.

A report of what was done, a question about a call, what somebody else is to be told, a second thing, a denial, a condition, a contradiction,
another script. None of them refuses alone (`intents` does, where it is certain): how much each says was learned from prompts of many writers.
"""

import re
import unicodedata
from collections.abc import Sequence

from syscalls.asking.saying import Slots
from syscalls.asking.words import CONDITIONS, DENIALS, IMPOSSIBLE, another, denied

_ASKED = re.compile(
    r"\s*(?:and |so |but |well,? |hey,? |hi,? )*(?:what|why|who|whose|when|does|did|do|is|are|was|were|has|have|how|would (?!you|it be possible)|should|might|could (?!you|i|we)|can (?!you|i|we)|may (?!i|we)|which of)\b",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:has|have|had|was|were|been|got|gets|is|are|'s|'ve|i've|he's|she's|we've|they've)\s(?:just\s|already\s|now\s|all\s|being\s|been\s)*(?!need|want|require|suppos|ask|call|nam)\w+(?:ed|en|wn|ept|ade)\b"
    r"|\b(?:already|completed|done|finished|thanks for|cheers for|good that|as agreed|nice|lovely)\b|^(?:i|he|she|they|we|somebody|someone|[A-Z][a-z]+)\s(?:just\s|already\s)?\w+ed\b",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"(?:^|[.,;:]\s*)(?:please\s|could you\s|can you\s)?(?:tell|ask|remind|let|warn|inform)\s(?!me\b|us\b|lsfs\b)(?:[A-Z]\w+|him|her|them|my \w+|the \w+)\s(?:to|whether|if|that|know)\b"
    r"|\b(?:said|says|wrote|writes|states|told|keeps saying|reads|typed|was told)\b[^\"'“‘]{0,30}[:\"'“‘]"
)
_SUPPOSED = re.compile(
    r"\b(?:if|suppose|supposing|pretend|imagine|assuming|unless|in case|had i|had we|were i|would have|thinking of|undecided|whether to|maybe|perhaps|might)\b",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"\b(?:empty|blank|zero-byte)\b", re.IGNORECASE)
_BUT = re.compile(
    r"\b(?:but|except|apart from|so that|without|while|although|only|same time|at once|instead|neither|rather)\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:and|then)\s(?:then\s|also\s|after that\s|afterwards\s)?(?:please\s)?(?:show|tell|give|list|read|display|send|mail|e-mail|open|print|email|add|put|make|lock|delete|rename|move|take|create|save)\b",
    re.IGNORECASE,
)
COUNT = 12


def doubts(prompt: str, word: str, slots: Slots, left: Sequence[str]) -> tuple[float, ...]:
    """The evidence, each piece 0 or 1. left: the words that are no part of an argument."""
    rest = " ".join(left)
    found = (
        any(one in IMPOSSIBLE for one in left),
        DENIALS.search(rest) is not None,
        CONDITIONS.search(rest) is not None,
        bool(another(word, rest)),
        denied(word, rest),
        _ASKED.match(prompt) is not None,
        _REPORTED.search(rest) is not None,
        _TOLD.search(prompt) is not None,
        _SUPPOSED.search(rest) is not None,
        "text" in slots and _EMPTY.search(rest) is not None,
        _BUT.search(rest) is not None or _MORE.search(rest) is not None,
        _foreign(prompt),
    )
    return tuple(float(one) for one in found)


def _foreign(prompt: str) -> bool:
    """Whether letters are of another script."""
    letters = [char for char in prompt[:400] if char.isalpha()]
    return sum(not unicodedata.name(char, "").startswith("LATIN") for char in letters) > 0.15 * max(
        1, len(letters)
    )
