"""support: whether a passage bears out a sentence that a language model wrote and says to have from there.

    lacking("Refunds over 700 need two signatures.", "Refunds over 500 need two signatures.", None)
    'the number 700 is not there'

Every number and every name of the sentence must occur in the passage, a number of the same thing (30 days are not 30 weeks), most of its
telling words as well, and it must not deny what the passage says, nor say the opposite (below, above), nor the other way round. Where
there is a model, the passage must also be about the same (`near`, a cosine). That is no proof that a sentence is true; what fails is shown,
and marked.

Pure.
"""

import re

from syscalls.sentences import spans
from syscalls.telling import stem

ENOUGH, ENOUGH_NEAR = 0.6, 0.4  # of the telling words, without a cosine and with one
NEAR = 0.4  # the cosine that a sentence has at least to what it was taken from
GERMAN = 0.12  # the share of words within sentences that begin large, from which that makes no name

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,:\u2019' ]\d{3})*(?:[.,:/-]\d+)*")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_BEHIND = re.compile(r"[ \u00a0\u202f-]?(%|\u20ac|\$|\u00a3|[^\W\d_]+)")
_BETWEEN = re.compile(r";|: | but | aber | mais | pero | maar | ma ")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]{2,}")
_SPELLED = {
    word: str(number)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "null eins zwei drei vier f\u00fcnf sechs sieben acht neun zehn elf zw\u00f6lf",
        "z\u00e9ro un deux trois quatre cinq six sept huit neuf dix onze douze",
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    )
    for number, word in enumerate(words.split())
}
# words that are also numbers in another language, or short for something else
_DOUBTFUL = frozenset(("once", "sept", "elf", "dos", "one", "un", "eins", "uno", "null", "zero"))
_TENS = {
    word: str(10 * number)
    for words in ("twenty thirty forty fifty sixty seventy eighty ninety",)
    for number, word in enumerate(words.split(), 2)
}
_LARGE = frozenset(("hundred", "thousand", "million", "billion", "hundert", "tausend"))
# what may stand behind a number or before it: no two of these are the same thing
_UNITS = {
    spelling: words.split()[0]
    for words in """
        second sec secs s / minute min mins / hour hr hrs h / day d / week wk / month mo / quarter / year yr yrs / decade / century
        euro eur € / dollar usd $ / pound gbp £ / yen jpy ¥ / franc chf / cent / percent % per-cent prozent
        thousand k tausend / million mio m / billion bn mrd / trillion / hundred hundert
        byte / kb kib kilobyte / mb mib megabyte / gb gib gigabyte / tb tib terabyte
        meter metre / km kilometer kilometre / mile / foot feet ft / inch / gram g / kg kilo kilogram / ton tonne / liter litre
        tag tage tagen / woche wochen / monat monate monaten / jahr jahre jahren / stunde stunden / minuten
    """.replace("\n", " / ").split(" / ")
    if words.strip()
    for spelling in words.split()
}
_OPPOSITES = """
above over exceeding exceed more beyond larger greater higher | below under less fewer beneath smaller lower
before earlier until | after later
increase rise grow raise | decrease fall shrink reduce decline drop
accept approve allow permit grant adopt | reject refuse deny forbid prohibit ban
maximum most highest | minimum least lowest
open | close shut
win won | lose lost
begin start | stop end
include | exclude
enable | disable
buy bought | sell sold
pass succeed success | fail failure
über mehr | unter weniger
vor | nach
erlaubt | verboten
"""


def _stems(words: str) -> frozenset[str]:
    """The words in the forms that they have in a sentence: open, opens, opened, opening."""
    found = set(words.split())
    for word in words.split():
        root = word.removesuffix("e")
        doubled = root + root[-1] if len(root) < 5 else root
        found |= {word + "s", root + "ed", root + "ing", doubled + "ed", doubled + "ing", root + "es"}
        if word.endswith("y"):
            found |= {word[:-1] + "ies", word[:-1] + "ied"}
    return frozenset(found)


_PAIRS = [tuple(map(_stems, line.split("|"))) for line in _OPPOSITES.strip().splitlines()]
_DENYING = """
not no never seldom rarely hardly scarcely none nobody nothing nor neither cannot without nicht
kein keine keinen keinem keiner nie niemals kaum selten niemand ohne ne pas
jamais aucun aucune sans nunca nadie ningún ninguna sin non mai nessuno senza niet geen nooit zonder não sem
"""
_NOT = frozenset(_DENYING.split())
_SAYS_LITTLE = """
the and for are was has had its you she him her his our out who how why can may but all any per der die das und ein les des
about above after again against also another because been before being below between both could does doing down during each from
further have having here hers himself into itself just more most must only other ours over same shall should some such than that
their theirs them then there these they this those through under until upon very were what when where which while will with within
would your yours file files passage passages document documents text says states mentions describes according stated mentioned
"""
_EMPTY = frozenset(_SAYS_LITTLE.split())


def lacking(sentence: str, passage: str, near: float | None) -> str | None:
    """What `sentence` says and `passage` does not, in a few words; None where it is borne out. near: their cosine, None without a model."""
    there = numbers(passage)
    for number in sorted(numbers(sentence, spelled=False) - there):
        return f"the number {number} is not there"
    for word, number in _counted(sentence):
        if number not in there and word not in map(str.casefold, _WORD.findall(passage)):
            return f"the number {word} is not there"
    units = _units(passage)
    for number, unit in _units(sentence).items():
        if units.get(number) and not unit <= units[number]:
            return f"the number {number} is one of something else"
    stems = {stem(word.casefold()) for word in _WORD.findall(passage)}
    if not _has_large_nouns(passage):
        for name in names(sentence):
            if stem(name.casefold()) not in stems:
                return f"the name {name} is not there"
    telling = _telling(sentence)
    shared = [word for word in telling if _occurs(word, stems, passage)]
    if telling and len(shared) < len(telling) * (ENOUGH if near is None else ENOUGH_NEAR):
        return "its words are not there"
    if near is not None and near < NEAR:
        return "it is about something else"
    best = max(
        _clauses(" ".join(passage.split())),
        key=lambda said: len(_common(said, telling)),
        default="",
    )
    common = _common(best, telling)
    if not telling or len(common) < len(telling) / 2:
        return None
    opposite = _opposite(sentence, best)
    if denies(sentence) != denies(best):
        return None if opposite else "one denies what the other says"
    if opposite:
        return "one says the opposite of the other"
    return _other_subject(sentence, best, telling, common)


def _counted(text: str) -> list[tuple[str, str]]:
    """The words of a sentence that count something, and the number that each is: not those of `two hundred`, nor of `twenty-one`."""
    words = [word.casefold() for word in _WORD.findall(text)]
    spelled = _SPELLED | _TENS
    return [
        (word, spelled[word])
        for at, word in enumerate(words)
        if word in spelled
        and word not in _DOUBTFUL
        and not any(
            other in spelled or other in _LARGE
            for other in words[max(0, at - 1) : at] + words[at + 1 : at + 2]
        )
    ]


def _units(text: str) -> dict[str, set[str]]:
    """What the numbers of a text count, as far as it is a unit of `_UNITS`."""
    found: dict[str, set[str]] = {}
    for match in _NUMBER.finditer(text):
        near = [text[match.start() - 1 : match.start()]]
        after = _BEHIND.match(text, match.end())
        near += [after[1], after[1].removesuffix("s")] if after else []
        said = {_UNITS[word] for word in map(str.casefold, near) if word in _UNITS}
        if said:
            found.setdefault(_plain(match[0]), set()).update(said)
    return found


def _opposite(one: str, other: str) -> bool:
    """Whether an odd number of pairs of opposites stands in two sentences, one of a pair here, the other there."""
    mine, yours = ({word.casefold() for word in _WORD.findall(text)} for text in (one, other))
    turned = 0
    for left, right in _PAIRS:
        for here, there in ((left, right), (right, left)):
            turned += bool(mine & here and not mine & there and yours & there and not yours & here)
    return turned % 2 == 1


def _other_subject(sentence: str, said: str, telling: list[str], common: list[str]) -> str | None:
    """Somebody else does in `sentence` what somebody with a name does in `said`. The first word of a sentence is large whatever it is, so
    it counts for a name only where all the rest stands there, and a name that the sentence has not."""
    words = _WORD.findall(sentence)
    if not words or not words[0][0].isupper() or words[0].isupper() or words[0].endswith("s"):
        return None
    first = words[0].casefold()
    mine = {stem(word.casefold()) for word in words}
    others = [word for word in _WORD.findall(said) if word[0].isupper() and len(word) > 1]
    if first not in telling or len(common) < 2 or [word for word in telling if word != first] != common:
        return None
    if all(stem(word.casefold()) in mine for word in others) or _german(words):
        return None
    return f"the name {words[0]} is not there"


def _clauses(text: str) -> list[str]:
    """What can be denied by itself."""
    return [part for start, end in spans(text) for part in _BETWEEN.split(text[start:end])]


def numbers(text: str, spelled: bool = True) -> set[str]:
    """The numbers of a text, without what separates thousands; `spelled`: also those that are words."""
    found = {_plain(match[0]) for match in _NUMBER.finditer(text)}
    if spelled:
        words = _SPELLED | _TENS
        found |= {words[word] for word in map(str.casefold, _WORD.findall(text)) if word in words}
    return found


def _plain(number: str) -> str:
    return re.sub(r"[.,\u2019' ](?=\d{3}(?:\D|$))", "", number).replace(",", ".")


def names(sentence: str) -> list[str]:
    """Words that begin large, or are all large, and are not the first of the sentence."""
    words = _WORD.findall(sentence)
    return [
        word
        for at, word in enumerate(words)
        if word[0].isupper() and len(word) > 1 and (at or word.isupper())
    ]


def denies(text: str) -> bool:
    """Whether a sentence has a word that turns it round: an odd number of them does."""
    words = [word.casefold().replace("\u2019", "'") for word in _WORD.findall(text)]
    return sum(word in _NOT or word.endswith("n't") for word in words) % 2 == 1


def _has_large_nouns(text: str) -> bool:
    inner = [word for start, end in spans(text) for word in _WORD.findall(text[start:end])[1:]]
    large = sum(word[0].isupper() and not word.isupper() for word in inner)
    return bool(inner) and large > len(inner) * GERMAN and _german(inner)


def _german(words: list[str]) -> bool:
    return (
        sum(
            word in ("der", "die", "das", "und", "ist", "den", "ein", "eine", "nicht", "mit")
            for word in words
        )
        > len(words) / 20
    )


def _telling(text: str) -> list[str]:
    found = [
        word.casefold()
        for word in _WORD.findall(text)
        if len(word) > 3 - word[0].isupper()
        and not word[0].isdigit()
        and word.casefold() not in _EMPTY | _NOT
    ]
    pairs = [run[at : at + 2] for run in _UNSPACED.findall(text) for at in range(len(run) - 1)]
    return list(dict.fromkeys(pairs or found))


def _occurs(word: str, stems: set[str], passage: str) -> bool:
    """Whether a word, its plural or one that begins as it does occurs."""
    if _UNSPACED.search(word):
        return word in passage
    root = stem(word)
    return root in stems or (len(root) > 5 and any(other.startswith(root[:5]) for other in stems))


def _common(text: str, telling: list[str]) -> list[str]:
    stems = {stem(word.casefold()) for word in _WORD.findall(text)}
    return [word for word in telling if _occurs(word, stems, text)]
