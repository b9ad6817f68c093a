"""terms: what a word is, for everything that has to be exact: conditions, `keywords`, and whoever checks them by reading.

    tokens("Don't parse_config the Café's ﬁle v2")    don t parse config the cafe s file v2
    tokens("全文検索")                                 全 文 検 索

A word is the longest run of letters and digits, with the marks that belong to a letter; everything else parts words, also `_`, `-`, `'`
and the dot of `v1.2`. Case does not count, nor do accents over Latin and Greek letters, nor how a letter is coded (ﬁ is fi, Ａ is A);
elsewhere a mark makes another letter (й is not и). Where a script is written without spaces (Chinese, Japanese, Thai …) or glues particles
to words (Korean), every character counts as a word, so that a phrase finds what stands anywhere inside. Of a run longer than LONGEST
characters the first LONGEST count. There are no stems: `refund` is not `refunds`, `refund*` is both.

A text fulfils a phrase where its words stand in the text's words one after the other, whatever parts them there.

Pure, and a definition: whoever reads the extracted text of a file with `tokens` and `fulfils` finds what the index finds.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

LONGEST = 256  # characters of a word; what is longer is no language
MOST_IN_PHRASE = 256  # words; the index knows no longer ones
CHUNK = 1 << 20  # characters taken apart at once

# Characters that are words of their own: kana, Han, Hangul, Thai, Lao, Burmese, Khmer
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = "".join(
    chr(code)
    for code in (*range(0xE00, 0xF00), *range(0x1000, 0x10A0), *range(0x1780, 0x1800), 0x3099, 0x309A)
    if unicodedata.category(chr(code))[0] == "M"
)
_ALONE = re.compile(f"([{_UNSPACED}][{_MARKS}]*)")
_HALF_WIDTH = re.compile("[\uff61-\uffdc]+")
_SEAM = re.compile(r"[\x00-\x2f:-@\[-`{-\x7f]")  # parts words, whatever comes after it
# written inside a word, and no part of it: soft hyphen, joiners, variation selectors
_UNSEEN = frozenset((0xAD, 0x200C, 0x200D, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10)))
_ACCENTS = range(0x300, 0x370)
_LETTERS = bytes(
    byte if chr(byte).isalnum() and byte < 128 else 32 for byte in bytes(range(256)).lower()
)  # ASCII: lower case, all else a blank


def tokens(text: str) -> list[str]:
    """The words of `text`, in order."""
    return [word for part in chunks(text) for word in _words(part)]


def chunks(text: str) -> Iterator[str]:
    """`text` in pieces that break no word, so that a huge one needs not be taken apart at once."""
    start = 0
    while start < len(text):
        seam = _SEAM.search(text, start + CHUNK) if len(text) - start > CHUNK else None
        end = seam.end() if seam else len(text)
        yield text[start:end]
        start = end


def occurs(wanted: Sequence[str], words: Sequence[str], prefix: bool = False) -> bool:
    """Whether `wanted` stand in `words` one after the other; prefix: the last of them need only begin a word."""
    size = len(wanted)
    head, tail = list(wanted[:-1]), wanted[-1]
    for at in range(len(words) - size + 1):
        last = words[at + size - 1]
        if (last.startswith(tail) if prefix else last == tail) and list(words[at : at + size - 1]) == head:
            return True
    return False


def fulfils(condition: Sequence | None, *texts: Sequence[str]) -> bool:
    """Whether a file fulfils a condition (`syscalls.prompt`): each word or phrase of it in one of `texts`, the words of its text and of
    its path. What has no letter or digit demands nothing."""
    if condition is None:
        return True
    kind, value = condition
    if kind == "not":
        return not fulfils(value, *texts)
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(fulfils(part, *texts) for part in value)
    wanted = tokens(value)
    return not wanted or any(occurs(wanted, words, kind == "prefix") for words in texts)


def leaves(condition: Sequence | None) -> Iterator[tuple[str, str]]:
    """The words, phrases and prefixes of a condition."""
    if condition is None:
        return
    kind, value = condition
    if kind in ("word", "phrase", "prefix"):
        yield kind, value
        return
    for part in (value,) if kind == "not" else value:
        yield from leaves(part)


def _words(text: str) -> list[str]:
    if text.isascii():
        words = text.encode("ascii").translate(_LETTERS).decode("ascii").split()
        return words if max(map(len, words), default=0) <= LONGEST else [word[:LONGEST] for word in words]
    text = unicodedata.normalize("NFC", text)
    text = _HALF_WIDTH.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    text = unicodedata.normalize("NFC", text.translate(_FOLDED))
    words = _ALONE.sub(r" \1 ", text).split(" ")
    return [word[:LONGEST] for word in (_begun(word) for word in words) if word]


def _begun(word: str) -> str:
    """A mark counts behind a letter or digit only."""
    first = 0
    while first < len(word) and word[first] > "\u02ff" and unicodedata.category(word[first])[0] == "M":
        first += 1
    return word[first:] if first else word


class _Folding(dict):
    """What each character counts as: filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _folded(chr(code))
        return found


_FOLDED = _Folding()


def _folded(character: str) -> str:
    code = ord(character)
    if (
        code in _UNSEEN or code in _ACCENTS
    ):  # an accent that is still alone belongs to no letter that it changes
        return ""
    kind = unicodedata.category(character)
    if kind[0] not in "LNM":
        return " "
    if kind == "No":  # ² and ½ stand beside a word, not in it
        return f" {_digits(character)} "
    seen = character
    while (now := _once(seen)) != seen:
        seen = now
    return seen if not seen.isspace() else " "


def _once(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    if any(_accented(base) and ord(mark) in _ACCENTS for base, mark in pairwise(apart)):
        apart = "".join(letter for letter in apart if ord(letter) not in _ACCENTS)
    folded = unicodedata.normalize("NFKC", apart.casefold())
    return "".join(letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in folded)


@functools.cache
def _accented(base: str) -> bool:
    return unicodedata.name(base, "").startswith(("LATIN", "GREEK")) or base in "iα"


def _digits(character: str) -> str:
    apart = unicodedata.normalize("NFKD", character)
    return "".join(letter if letter.isalnum() else " " for letter in apart)
