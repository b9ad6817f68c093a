"""saying: what several calls take from a sentence: a name, a text that is to be written, what files are about, all that is there."""

from typing import Any

from syscalls.asking.masks import MARK
from syscalls.asking.patterns import CUT
from syscalls.asking.reading import Reading

Slots = dict[str, Any]


END = r"@(?:very )?(?:end|bottom|tail|foot|last line|closing)"


BODY = r"(?:(?:@(?:whole |full |entire |complete |current |same |exact )*(?:contents?|text|body|words|lines|copy|everything|all)|what(?:ever)?(?: is|'s| stands)?|everything) (?:of|in|from|inside|as in|as|that is in|there is in) )"


ABOUT = (
    r"by (?:meaning|relevance|similarity|semantics) (?:to|for|with)",
    r"^ask @(?:files|documents|notes|papers)",
    r"\bre:",
    r"(?:most |more |closely |best |the most )?(?:related|relevant|relevance|similar|similarity|close|closest|closeness|nearest|near|pertinent|proximity|nearness) (?:in meaning |semantically )?(?:to|for|with)",
    r"(?:relevant|related|similar|close|closest|nearest|pertinent) (?:files?|documents?|docs|notes|papers|hits|results) (?:to|for)",
    r"(?:by )?how (?:relevant|close|similar|near|related|pertinent|closely related) (?:they|it|each|each one|each of them) (?:are|is) to",
    r"(?:how|by how) (?:well|closely|much|strongly|near|close) (?:they|it|each|each one) (?:match|fit|relate to|concern|are to|answer|comes? to|is to|are related to|are about|has to do with|have to do with)",
    r"(?:<talk> about|about|regarding|concerning|dealing with|deals? with|relating to|relates? to|pertaining to|(?:having |have |has )?(?:something |anything )?to do with|revolving around|centred on|centered on|focus(?:ed|ing) on|focus on|touching on|touch on)",
    r"(?:on|of|with|around|to|for) @(?:topic|subject|theme|question|area|matter)s?(?: of|:)?",
    r"(?:<discuss cover treat address concern describe explain explore answer>)",
    r"(?:most |more |much |best )?(?:like|resembl\w+|match(?:es|ing)?(?! (?:for|to|on|of)\b)|fit(?:s|ting)?)(?: best)?",
)


ON = (
    r"(?:files?|documents?|docs|papers?|notes?|articles?|texts?|pages?|got|material|anything|everything|stuff|ones|whatever|all|information|reports?|reading|write-?ups?|pages|results|work|hits|matches|match|best|have|there is|we have|i have|things|something|pieces|literature|content|summary|overview|gist|digest|tl;?dr|recap|question|questions|query|queries|search(?:es)?|synopsis|briefing|rundown|me|us|say|says|said|wrote|written|know|knows) (?:on|of|for|around|to|in)",
)


NAMED = r"(?:named|called|titled|under the name(?: of)?|with the name(?: of)?|by the name of|name it|call it|label(?:led|ed)?(?: it)?|and name it|and call it|naming it|calling it|tagged|entitled|name:?|whose name is|which is called|to be called)"


STOP = frozenset(
    [
        "current",
        "present",
        "whole",
        "entire",
        "complete",
        "state",
        "moment",
        "that",
        "which",
        "for",
        "until",
        "to",
        "of",
        "the",
        "a",
        "an",
        "and",
        "valid",
        "from",
        "in",
        "on",
        "as",
        "by",
        "with",
        "it",
        "is",
        "now",
        "named",
        "called",
        "expiring",
        "expires",
        "so",
        "all",
        "everything",
        "files",
        "again",
        "please",
        "taken",
        "was",
        "before",
        "after",
        "at",
        "or",
        "live",
        "one",
        "label",
        "title",
        "name",
        "called",
        "new",
        "my",
        "our",
        "every",
        "each",
        "about",
        "this",
        "those",
        "these",
        "them",
    ]
)


def name(reading: Reading, *texts: str) -> str | None:
    """A name behind one of these patterns; a word that only holds a sentence together is none."""
    for text in texts:
        before = reading.text
        found = reading.take(text)
        if found is None:
            continue
        given = reading.value(found[0]) if MARK.fullmatch(found[0]) else found[0]
        if given.lower() not in STOP:
            return given
        reading.text = before
    return None


def text_of(reading: Reading, *, colon: bool = True) -> str | None:
    """A text that is to be written: a quotation, or what follows `saying`, `with the text` or a colon."""
    found = reading.take("{Q}") or reading.take("{q}")
    if found is not None:
        return reading.value(found[0])
    found = reading.take(
        r"(?:saying|that says|which says|and says|it says|to say|that reads|which reads|reading|it should say|it should read|should say|should read)(?: only| just)?:? {rest}",
        r"(?:with|containing|the|following|this)(?: the| this| a)?(?: following)? (?:text|contents?|words|line|sentence|entry)(?: of)?:? (?!of\b|to\b|in\b|at\b|from\b){rest}",
        *((r": {rest}$",) if colon else ()),
    )
    if found is None:
        return None
    text = reading.plain(found[0].strip(" :"))
    return text or None


def question(r: Reading, *cues: str) -> str:
    quoted = r.marks("qp")
    if len(quoted) == 1:
        r.text = r.text.replace(quoted[0], f" {CUT} ", 1)
        return r.subject(quoted[0])
    return r.topic(*cues)


ALL = r"(?:@(?:entire |whole |complete )*(?:everything|all files|all the files|all of it|all of them|all|tree|mount|file ?system|folder tree|workspace|lot|everything there is|all my files|every file|all folders|all my documents|anything|files)(?: (?:that is )?(?:in|on|under|of|below|inside) (?:the |this )?(?:mount|tree|files|here|lsfs|folder))?)"


def whole(r: Reading) -> bool:
    return r.take(rf"{ALL}(?= |$)") is not None


def counted(r: Reading) -> None:
    """Take out how many files there are, where so many are named: `the two files F and F`."""
    count = r.take(
        r"@{n}(?: files?| documents?| texts?| logs?| pdfs?| notes?| chapters?| parts?| tables?| csvs?| pieces?)?(?: named| called| of them,?)?:? (?=\ue000[fpd])"
    )
    if count is not None and r.value(count[0]) not in {str(len(r.marks("fp")) - less) for less in (0, 1)}:
        r.text = f"{r.text} {count[0]}"
