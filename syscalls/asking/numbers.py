"""numbers: numbers, versions, durations and times as people write them: `three`, `the third version`, `half an hour`, `1 December 2026`."""

import re

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_VALUES: dict[str, float] = {word: place for place, word in enumerate(_ONES)}
_VALUES |= {word: 20 + 10 * place for place, word in enumerate(_TENS)}
_VALUES |= {
    f"{ten}{dash}{one}": 20 + 10 * i + j
    for i, ten in enumerate(_TENS)
    for j, one in enumerate(_ONES[1:10], 1)
    for dash in "- "
}
_VALUES |= {word: place for place, word in enumerate(_ORDINALS, 1)}
_VALUES |= {"a": 1, "an": 1, "a couple of": 2, "a couple": 2, "a dozen": 12, "half a dozen": 6, "dozen": 12, "a single": 1, "single": 1, "hundred": 100, "a hundred": 100,
            "original": 1, "very first": 1, "initial": 1, "half": 0.5, "half an": 0.5, "half a": 0.5, "a half": 0.5, "a quarter of an": 0.25, "quarter of an": 0.25,
            "three quarters of an": 0.75, "one and a half": 1.5, "two and a half": 2.5, "both": 2}  # fmt: skip

_TEENS = "|".join(sorted((word for word in _VALUES if word not in _ORDINALS and " " not in word and len(word) > 2 and word not in
                          ("zero", "single", "original", "initial", "half", "both", "dozen", "hundred")), key=len, reverse=True))  # fmt: skip
_SPACED = "|".join(f"{ten} {one}" for ten in _TENS for one in _ONES[1:10])
_N = rf"\d{{1,9}}|{_SPACED}|{_TEENS}"
_ORD = r"\d{1,4}(?:st|nd|rd|th)|" + "|".join(sorted(_ORDINALS, key=len, reverse=True))
_THE = r"(?:the\s|its\s|that\s|their\s|my\s)?"
_VERSIONS = r"versions?|revisions?|rev\.?|saves?|saved\sversions?|generations?|iterations?"
_VERSION = rf"(?:{_VERSIONS})"
_STEP = r"(?:versions?|revisions?|saves?|saved\sversions?|generations?|iterations?|edits?|changes|steps?|modifications?)"


def number(text: str) -> int:
    """The number of a numeral, a word or an ordinal that a pattern here has met."""
    word = " ".join(text.lower().split())
    digits = re.match(r"v?(\d+)", word)
    return int(digits[1]) if digits else int(_VALUES[word])


NUMBER = re.compile(
    rf"(?:(?<![\w.\ue000-\uf8ff$€£/-])|(?<=\btop-)|(?<=\bbest-))(?:\d{{1,9}}|{_SPACED}|a\sdozen|half\sa\sdozen|a\scouple\sof|"
    rf"{'|'.join(one for one in _TEENS.split('|') if one != 'one')}|one(?=\s(?:file|document|sentence|result|hit|paper|note)\b)|a\ssingle(?=\ssentence))"
    r"(?![\w/%]|-(?!sentence)|[.,:]\d|\.\w)",
    re.IGNORECASE,
)

BACK = re.compile(
    rf"\b{_THE}(?:(?:last|past|previous|most\srecent|latest)\s(?P<last>)|back\s(?P<back>)(?:by\s)?|by\s(?P<by>))?"
    rf"(?P<n>{_N}|a\scouple\sof|a\ssingle|a)\s(?:(?:last|more|most\srecent|recent|prior|previous|earlier|older|full)\s)?{_STEP}"
    rf"(?:\s(?P<ago>ago|back(?:wards?)?|earlier|before(?:\s(?:that|this|now|the\s(?:current|present|latest)(?:\sone)?))?|prior|older|in\sthe\spast)|(?(last)|(?(back)|(?(by)|(?!)))))(?!\w)",
    re.IGNORECASE,
)
BEFORE = re.compile(
    r"\b(?:(?:the|its|their|that|an?)\s)?(?:immediately\s|directly\s)?"
    r"(?:previous|prior|preceding|earlier|last|penultimate|second\s(?:to\s)?last|next-to-last|former)\s"
    rf"(?:{_VERSIONS}|state|edit|change|content)\b(?!s)"
    r"|\b(?:the\s|my\s|its\s|our\s)?(?:latest|most\srecent|newest|final)\s(?:edit|change|save|modification|update)(?=\s(?:to|of|in|on|made|from|that)\b)"
    r"|\b(?:the\s)?(?:version|state|one|revision)\s(?:just\s|right\s|immediately\s)?before\s"
    r"(?:(?:the\s)?(?:last|latest|current|this|most\srecent|newest|present)(?:\s(?:one|version|change|edit|save|revision))?|that|this)\b(?!\sroll)",
    re.IGNORECASE,
)
SECOND = re.compile(rf"\b(?:the\s)?{_VERSION}\sbefore\sthe\s(?:previous|last|prior)\sone\b", re.IGNORECASE)
_AND = r"and|to|through|with|against|vs\.?|versus|until|till|from|or|→|->|–|-|\.\.|,"
_SIGN = r"(?:\s(?:number|no\.?|nr\.?|num)\s?|\s?[:=]\s?|\s?\#\s?|\s)"
ABSOLUTE = re.compile(
    rf"\b(?:the\s)?{_VERSION}{_SIGN}v?(?P<one>{_N})(?![\w-]|\.\w)"
    rf"(?:\s?(?P<and>{_AND})\s?(?:the\s)?(?:{_VERSION}{_SIGN})?v?(?P<two>{_N})(?![\w-]|\.\w))?",
    re.IGNORECASE,
)
SHORT = re.compile(
    rf"(?<![\w.-])v(?P<one>\d{{1,6}})(?![\w-]|\.\w)(?:\s?(?P<and>{_AND})\s?v?(?P<two>\d{{1,6}})(?![\w-]|\.\w))?",
    re.IGNORECASE,
)
ORDINAL = re.compile(
    rf"\b(?:the\s)?(?P<n>very\sfirst|original|initial|{_ORD})\s(?:saved\s|ever\s)?{_VERSION}(?!\w)",
    re.IGNORECASE,
)

ORDINALS = re.compile(
    rf"\b(?:the\s|its\s|their\s)?(?P<one>{_ORD})\s(?:{_VERSION}\s)?(?P<and>and|to|through|with|against|versus|vs\.?)\s(?:the\s|its\s)?(?P<two>{_ORD})\s{_VERSION}(?!\w)",
    re.IGNORECASE,
)

_UNITS = {"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m", "h": "h", "hr": "h",
          "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d", "w": "w", "week": "w", "weeks": "w", "wk": "w", "wks": "w", "fortnight": "2w", "fortnights": "2w"}  # fmt: skip
_LONG = r"seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|fortnights?"
_SOME = rf"(?:three\squarters\sof\san|a\squarter\sof\san|quarter\sof\san|half\san|half\sa|one\sand\sa\shalf|two\sand\sa\shalf|a\scouple\sof|\d{{1,9}}(?:\.\d{{1,3}})?|{_SPACED}|{_TEENS}|an?|a\ssingle|half)"
_PART = rf"(?:(?P<n>{_SOME})(?:\s|-)(?:full\s|whole\s|more\s)?(?P<unit>{_LONG})\b(?P<half>\sand\sa\shalf\b)?|(?P<n2>\d{{1,9}}(?:\.\d{{1,3}})?)\s?(?P<unit2>{_LONG}|[smhdw])\b)"
_MORE = (
    _PART.replace("(?P<n>", "(?:")
    .replace("(?P<unit>", "(?:")
    .replace("(?P<half>", "(?:")
    .replace("(?P<n2>", "(?:")
    .replace("(?P<unit2>", "(?:")
)
DURATION = re.compile(
    rf"(?<![\w.-])(?<!minus\s)(?!a\ssecond\s(?:copy|file|version|one|time|document|name|look|note|set))(?:the\s(?=next|coming|following)(?:next|coming|following)\s|another\s)?{_PART}(?P<rest>(?:(?:\s?,\s?|\sand\s|\s)?{_MORE}){{0,3}})(?P<ago>\s(?:ago|earlier|old|back|before)\b)?",
    re.IGNORECASE,
)
_ONE = re.compile(_PART, re.IGNORECASE)


def duration(match: re.Match[str]) -> str | None:
    """A duration as the arguments write it: `90s`, `1h30m`. None where it is none that a line can say."""
    text, parts = match[0], []
    for one in _ONE.finditer(text):
        count, unit = one["n"] or one["n2"], (one["unit"] or one["unit2"]).lower()
        word = " ".join(count.lower().split())
        amount = _VALUES.get(word)
        if amount is None:
            try:
                amount = float(word)
            except ValueError:
                return None
        amount += 0.5 if one["half"] else 0
        short = _UNITS[unit]
        if short == "2w":
            amount, short = amount * 2, "w"
        parts.append((amount, short))
    return " ".join(f"{amount:g}{short}" for amount, short in parts).replace(" ", "") or None


_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(
    [*_MONTHS, "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov", "dec"]
)
_CLOCK = r"(?P<hour{0}>\d{{1,2}})(?::(?P<minute{0}>\d\d)(?::(?P<second{0}>\d\d))?)?\s?(?P<half{0}>[ap]\.?m\.?)?(?P<sharp{0}>\so['’]?clock)?(?:\sin\sthe\s(?P<early{0}>morning)|\sin\sthe\s(?P<late{0}>afternoon|evening))?|(?P<word{0}>noon|midday|midnight)"
_DAY = (
    r"(?P<iso>\d{4}-\d\d(?:-\d\d(?:[Tt ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?)?)(?![\d-])(?!\w)(?!\.\w|/\w|_)"
    rf"|(?:the\s)?(?P<day>\d{{1,2}}(?:st|nd|rd|th)?|(?:twenty-|thirty-)?(?:{'|'.join(_ORDINALS)}|thirtieth))\.?\s(?:of\s)?(?P<month>{_MONTH})\.?,?\s(?P<year>\d{{4}})\b"
    rf"|(?P<month2>{_MONTH})\.?\s(?:the\s)?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year2>\d{{4}})\b"
    r"|(?P<year3>\d{4})/(?P<month3>\d{1,2})/(?P<day3>\d{1,2})\b"
)
TIME = re.compile(
    rf"(?<![\w./-])(?:(?:{_CLOCK.format(1)})(?:\s(?:on|of),?|,)?\s)?(?:the\smorning\sof\s)?(?:{_DAY})(?:(?:,?\s(?:at|@)|,(?=\s\d{{1,2}}(?::\d\d|\s?[ap]\.?m)))\s(?:{_CLOCK.format(2)})(?!\w))?",
    re.IGNORECASE,
)


def time(match: re.Match[str]) -> str | None:
    """A time as ISO 8601; None where it is none."""
    part = match.groupdict()
    if part["iso"]:
        found = part["iso"].replace(" ", "T").replace("t", "T")
    else:
        year = part["year"] or part["year2"] or part["year3"]
        month = part["month"] or part["month2"]
        number_ = (
            int(part["month3"])
            if part["month3"]
            else [one[:3] for one in _MONTHS].index(month.lower()[:3]) + 1
        )
        found = f"{year}-{number_:02d}-{_day(part['day'] or part['day2'] or part['day3'] or ''):02d}"
    clock = _clock(part, "1") or _clock(part, "2")
    if clock is None:
        return found if not (part["hour1"] or part["hour2"]) else None
    if "T" in found or len(found) != 10:
        return None
    return f"{found}T{clock}"


def _day(text: str) -> int:
    if text[0].isdigit():
        return int(re.sub(r"\D", "", text))
    tens, _, one = text.lower().rpartition("-")
    return (30 if one == "thirtieth" else int(_VALUES[one])) + (int(_VALUES[tens]) if tens else 0)


def _clock(part: dict[str, str | None], place: str) -> str | None:
    word = part[f"word{place}"]
    if word:
        return "00:00" if word.lower() == "midnight" else "12:00"
    text = part[f"hour{place}"]
    half = (
        part[f"half{place}"] or part[f"early{place}"] and "am" or part[f"late{place}"] and "pm" or ""
    ).lower()
    if not text or not (part[f"minute{place}"] or half or part[f"sharp{place}"] and int(text) > 12):
        return None
    hour = int(text)
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 23:
        return None
    return f"{hour:02d}:{part[f'minute{place}'] or '00'}" + (
        f":{part[f'second{place}']}" if part[f"second{place}"] else ""
    )


RELATIVE = re.compile(
    rf"\b(?:yesterday|tomorrow|tonight|last\s(?:night|week|month|year|monday|tuesday|wednesday|thursday|friday|saturday|sunday|summer|spring|autumn|fall|winter|{_MONTH})"
    r"|this\s(?:morning|afternoon|evening|week|month|year)|next\s(?:week|month|year|monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
    r"|(?:\d+|an?|two|three|four|six|a\sfew|several)\s(?:months?|years?|decades?)(?:\sago)?|the\sother\sday|a\swhile\sago|(?:until|till)\s(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|further\snotice))\b",
    re.IGNORECASE,
)
