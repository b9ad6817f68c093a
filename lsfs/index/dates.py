"""dates: the days and months that a text speaks of, however they are written, as words that mean the same.

`2024-03-07`, `7 March 2024`, `March 7th, 2024`, `7.3.2024` and a file called `20240307-minutes.md` share no word. So a passage and a path
get some for each date (`said`), and a prompt asks for them (`asked`); BM25 ranks them as any others, and nobody is shown them:

    date20240307    this day of this year          date0307       this day, where no year is said
    day0307         this day of whatever year      month202403    this month, or a day of it
    march           this month of whatever year, where the text has not the word; of May, which is another word as well, `month05`

A prompt with a year asks for the day of that year or of none, one without a year for the day of any. A year alone is a word already.
`3/7/2024` is read both ways; a year of two digits is one of 1970 to 2069.

On folders of words alone: +.009 nDCG@10 for an office's files that are named by their day, +.003 to +.006 for dialogues, elsewhere nothing.

What passages have is kept in words.db, so what is changed here raises `store.VERSION`.

Threading: pure.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# English, German, French, Spanish, Italian, Portuguese, Dutch; no short form that is a word of its own (`set`, `ago`, `out`, `gen`)
_NAMES = """
january jan januar jänner januari janvier janv enero ene gennaio janeiro
february feb februar februari febr février fevrier févr fév febrero febbraio fevereiro fev
march mar märz maerz mrz mars marzo março maart mrt
april apr avril avr abril abr aprile
may mai mayo maggio maio mei
june jun juni juin junio giugno giu junho
july jul juli juillet juil julio luglio lug julho
august aug août aout agosto augustus
september sep sept septembre septiembre settembre setembro
october oct oktober okt octobre octubre ottobre outubro
november nov novembre noviembre novembro
december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro
"""
MONTHS = {name: month for month, line in enumerate(_NAMES.strip().splitlines(), 1) for name in line.split()}
ENGLISH = tuple(line.split()[0] for line in _NAMES.strip().splitlines())
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MAY = 5
CENTURY = 70  # from it on a year of two digits is one of the last century
LONGEST = 16  # characters that are looked at before a number for the name of a month
NEAR = 3  # characters from a date to the next number; where there are fewer, the month has its day: `8 May 12 people`

_MONTH = r"[^\W\d_]{3,10}+(?![^\W\d_])"
_BEGUN = "(?=[{}][{}][{}])".format(
    *("".join(sorted({letter for name in MONTHS for letter in (name[n], name[n].upper())})) for n in range(3))
)
_OF = r"(?:(?:of|de|del)\s)?+"
_NTH = r"(?:st|nd|rd|th|er|[.º°])?+"
_YEAR = r"(?:19|20)[0-9]{2}(?![0-9])"
# What may be a date, for `_read` to decide: it begins with a number, whose first digit `re` finds fast.
_LIKELY = re.compile(
    r"[0-9](?<![0-9A-Za-z].)(?:(?![0-9]{0,4}[,;:)\]])(?:"  # no date ends in its first number but `March 7`
    # 7.3.2024, 3/7/24, 2024-03-07
    r"(?<![0-9]\..)[0-9]{0,3}([-./_])[0-9]{1,2}\1[0-9]{1,4}(?![0-9]|\.[0-9])"
    # 2024-03, 2024/03/, 20240307, 2024-Mar-07
    r"|(?<=[12])[09][0-9]{2}(?:-[01][0-9](?!-?[0-9])|/[01][0-9](?=/)|[01][0-9][0-3][0-9](?![0-9])"
    rf"|[\s_-]{_BEGUN}{_MONTH}[\s_-][0-9]{{1,2}}(?![0-9]))"
    # 7th of March, 7 mars 2024, 7-Mar-24
    rf"|[0-9]?+{_NTH}[\s/_-]{{0,2}}+{_OF}{_BEGUN}{_MONTH}(?:\.?+,?+[\s/_-]{{0,2}}+{_OF}{_YEAR}|[-/][0-9]{{2}}(?![0-9]))?)"
    # March, before 7th, 2024; before 7 12:00:00 2024; before 2024
    r"|(?P<before>(?<=[\s_-].)(?:(?<=[^\W\d_][\s_-].)|(?<=[^\W\d_][.,\s]\s.)))(?:"
    rf"[0-9]?(?:st|nd|rd|th)?(?![^\W_]|[.:,][0-9])(?:(?:,?\s{{1,2}}(?:[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?\s)?|[_-]){_YEAR})?"
    r"|(?<=[12])[09][0-9]{2}(?![0-9])))"
)
_MONTH_BEFORE = re.compile(rf"([^\W\d_]{{3,10}})[.,]?[\s_-]{{1,2}}{_OF}\Z")
# what ends before the blank before that number: few words do, so the others cost little
_ENDS = {f"{name}{mark}"[-3:] for name in MONTHS for mark in ("", ".", ",", " ")} | {" of", " de", "del"}
_PART = re.compile(r"[0-9]+|[^\W\d_]+")
_OWN = re.compile(r"date[0-9]{4}(?:[0-9]{4})?|day[0-9]{4}|month(?:[0-9]{2}|[0-9]{6})")
# no other month is so often another word
_IN_MAY = re.compile(
    r"(?<=\s)May\b|\b(?i:in|of|since|until|till|for|from|by|this|last|next|during|early|mid)[\s-](?i:may)\b"
)


class Date(NamedTuple):
    """year: 0 where none is said; day: 0 for a whole month."""

    year: int
    month: int
    day: int


def find(text: str) -> list[Date]:
    """The dates in a text, each once, in its order."""
    return list(dict.fromkeys(date for likely in _likely(text) for date in _read(likely)))


def said(text: str) -> list[str]:
    """What a passage or a path with this text is found by."""
    found = _likely(text)
    return list(dict.fromkeys(word for likely in found for word in _said(likely))) if found else []


def asked(text: str) -> list[str]:
    """What a prompt with this text asks for."""
    words = [word for date in find(text) for word in _asked(date)]
    if _IN_MAY.search(text):
        words.append(f"month{MAY:02}")
    return list(dict.fromkeys(words))


def is_own(word: str) -> bool:
    """Whether a word is one that only is made here."""
    return _OWN.fullmatch(word) is not None


def is_day(word: str) -> bool:
    """Whether it is one that stands for a day."""
    return is_own(word) and word.startswith("da")


def _likely(text: str) -> dict[str, None]:
    """What may be dates, each once, and with the month that stands before it."""
    found: dict[str, None] = {}
    end = -NEAR
    for match in _LIKELY.finditer(text):
        last = end
        start, end = match.span()
        if match["before"] is None:
            found[match[0]] = None
        elif text[max(0, start - 4) : start - 1].lower() in _ENDS and start - last >= NEAR:
            month = _MONTH_BEFORE.search(text, max(0, start - LONGEST), start)
            if month and month[1].lower() in MONTHS:
                found[f"{month[1]} {match[0]}"] = None
    return found


@lru_cache(4096)
def _said(likely: str) -> tuple[str, ...]:
    words: list[str] = []
    for year, month, day in _read(likely):
        if month == MAY:
            words.append(f"month{MAY:02}")
        elif ENGLISH[month - 1] not in likely.lower():
            words.append(ENGLISH[month - 1])
        if day:
            words.append(f"date{year:04}{month:02}{day:02}" if year else f"date{month:02}{day:02}")
            words.append(f"day{month:02}{day:02}")
        if year:
            words.append(f"month{year:04}{month:02}")
    return tuple(words)


def _asked(date: Date) -> Iterator[str]:
    year, month, day = date
    if not day:
        yield f"month{year:04}{month:02}"
    elif year:
        yield f"date{year:04}{month:02}{day:02}"
        yield f"date{month:02}{day:02}"
    else:
        yield f"day{month:02}{day:02}"


def _read(likely: str) -> tuple[Date, ...]:
    """What looks like a date, as dates: none, one, or two where it can be read both ways."""
    parts = _PART.findall(likely)
    month = next((MONTHS[part.lower()] for part in parts if part.lower() in MONTHS), 0)
    if month:
        if likely.endswith(" may") and likely[-5].isdecimal():  # `section 3 may change`
            return ()
        return _real(_named(month, [part for part in parts if part.isdecimal()]))
    if not all(part.isdecimal() for part in parts):
        return ()
    if len(parts) == 1:
        parts = [likely[:4], likely[4:6], likely[6:]]
    numbers = [int(part) for part in parts]
    if 0 in numbers:
        return ()
    if len(parts[0]) == 4:
        return _real(Date(numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0))
    # 1.2.10 is a version, 1-2-34 and 1_2_34 are anything
    short = len(parts[2]) == 2 and ("/" in likely or ("." in likely and len(likely) == 8))
    if len(parts[0]) > 2 or not (len(parts[2]) == 4 or short):
        return ()
    one, other, year = numbers[0], numbers[1], _year(parts[2])
    return _real(Date(year, other, one), *([] if "." in likely else [Date(year, one, other)]))


def _named(month: int, numbers: list[str]) -> Date:
    """A date with the name of a month."""
    years = [number for number in numbers if len(number) == 4]
    small = [number for number in numbers if len(number) < 4]
    if not years and len(small) == 2:  # 7-Mar-24
        years = small[1:]
    return Date(_year(years[0]) if years else 0, month, int(small[0]) if small else 0)


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= CENTURY else 2000)


def _real(*dates: Date) -> tuple[Date, ...]:
    """Those that are in a calendar, each once."""
    return tuple(dict.fromkeys(date for date in dates if _is_real(*date)))


def _is_real(year: int, month: int, day: int) -> bool:
    known = (not year and day > 0) or 1900 <= year < 2100
    return known and 1 <= month <= 12 and 0 <= day <= DAYS[month - 1]
