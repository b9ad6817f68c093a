"""conditions: which words have to occur, as `keywords` and `integrated` read it: `a AND b`, `a OR b`, `a AND NOT b`, `"a phrase"`.

    contain both 'invoice' and 'paid' but not 'draft'      invoice AND paid AND NOT draft
    mention heat pumps or boilers                           "heat pumps" OR boilers

`x and y or z`, which can be read in two ways, is not read.
"""

import re

from syscalls.asking.masks import MARK
from syscalls.asking.patterns import CUT
from syscalls.asking.reading import Missing, Reading
from syscalls.terms import tokens

_WHY = "which words have to occur, in quotation marks"
_FILL = (
    r"(?:(?:the|a|an|words?|terms?|keywords?|phrases?|strings?|expressions?|exact|literal|exactly|both|either|all|any|of|these|those|following|names?|one|at|least|each|also|that|which|they|it|is|are|"
    r"files?|documents?|ones|do|does|use|using|<contain mention include have>|with|there|in|text|two|three|everything|as|well|somewhere|anywhere|:|only|me|just)[,:]? )*"
)
_NOT = r"(?:not|no|without|never|nor|neither|don't|doesn't|do not|does not|aren't|isn't|lack(?:s|ing)?|exclud(?:e|es|ing)|omit(?:s|ting)?|except|minus|leav(?:e|es|ing) out|skip(?:ping)?|missing|free of|nothing|avoid(?:ing)?|drop(?:ping)?|ignor(?:e|ing)|unless|absent|none)"
_JOIN = re.compile(
    rf"(?:(?<=\S)\s(?:in|inside)\s(?:it|them|the\stext|there))?\s*,?\s*(?<![\w\ue000-\uf8ff])(?P<join>(?:(?:but|and|or|yet|while|though|plus|as\swell\sas|together\swith|along\swith|however|{_NOT.replace(' ', chr(92) + 's')})(?![\w-])\s*(?:,\s*)?)+"
    rf"(?:(?:also|else|with|of|any|mention|the|word|words|phrase|term|terms|keyword|keywords|contain|contains|containing|contained|mentions|mentioning|include|includes|including|have|has|having|that|which|do|does|files|documents|ones|those|they|it|in|them|all|both|exact|use|uses|using|say|says|appear|is|are|either|being|occur|be|where|what|everything|must|may|should|anything|there|not|occurrence|occurrences|every|one)(?![\w-])\s*)*)"
    r"|\s*(?P<comma>[,&+])\s*",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"(?:,\s*|\s+)(?:(?:and|then)\s)*(?:please\s)?(?:give(?:\s(?:me|us))?|show(?:\s(?:me|us))?|list|return|pick|find(?:\s(?:me|us))?|get(?:\s(?:me|us))?|choose|select|rank|sort|order|keep|display|print|put|i\s(?:want|need)|which|take)(?:\s(?:only|just|the|those|them))*\s*$",
    re.IGNORECASE,
)
_CUES = r"(?:<contain mention>|<include>|containing|mentioning|including|\bkeywords?(?: search| query)?(?: for|:)?|\bphrases?\b|\bterms?\b|\bwords?\b|\bstrings?\b|\bgrep(?: for)?\b|(?:files|documents|notes|ones|texts|papers|everything) with(?! the words?)|(?:with|having|have|has|use|uses|using|say|says|spell) (?:the |both |either |all )*(?:words?|phrases?|terms?|keywords?|names?|strings?)|<search look> for(?: (?:the|files with))?)"


def expression(r: Reading) -> str:
    """The condition that is left in a reading; it is taken out of it. Raises Missing."""
    r.text = re.sub(r"(?<=grep)(?:\s-\w+)+(?=\s)", "", r.text)
    quoted = r.marks("qp")
    prefix = r.take(
        r"(?:words? |terms? |something |anything |a word |any word )(?:that )?(?:<start begin>) with @(?:letters |syllable )?{q}"
    )
    if prefix is not None and len(quoted) == 1:
        return _word(r.value(prefix[0])) + "*"
    if prefix is not None:
        raise Missing(_WHY)
    if quoted:
        start, end = r.text.index(quoted[0]), r.text.rindex(quoted[-1]) + 3
        head = r.text[:start]
        if re.search(rf"\b{_NOT}\b[^{CUT}]*$".replace(" ", r"\s"), head, re.I) and not re.search(
            r"\b(?:but|and)\b", head, re.I
        ):
            raise Missing(_WHY)
        if CUT in r.text[start:end]:
            inner = r.text[start:end].replace(CUT, " ")
            if re.sub(r"[\s,]", "", MARK.sub("", inner)):
                raise Missing(_WHY)
        segment = r.text[start:end].replace(CUT, " ")
        without = re.match(
            r"\s*(?:doesn't|does\snot|isn't|is\snot|don't|must\snot|mustn't|should\snot|shouldn't|may\snot|never)\b(?:\s(?:occur|appear|show\sup|mentioned|there|be|in\sit|in\sthem|does))*",
            r.text[end:],
            re.I,
        )
        if without is not None and len(quoted) == 2:
            segment = f"{quoted[0]} but not {quoted[1]}"
            end += without.end()
        either = re.search(r"\b(?:either|any\sof|at\sleast\sone|one\sof|any)\b", head, re.I) is not None
        # a bare word may come before or after the first quotation: `budget or "cash flow"`
        r.text = f"{head} {CUT} {r.text[end:]}"
        r.drop(r"\b(?:either|both)\b")
    else:
        found = r.take(
            rf"{_CUES}[:,]? {_FILL}(?=[\w\ue000(]){{some}}(?= *(?:{CUT}|$)| (?:occur|appear|appears|occurs|are mentioned|is mentioned|shows? up|turns? up|comes? up|crops? up|is used|are used|is found|are found|stands?|is there|in them|in it|somewhere in|in their text|in the text|anywhere)\b)",
            rf"(?:in which|where) {_FILL}{{some}} (?:<occur appear mention>|(?:is|are) (?:mentioned|used|found|contained)|shows? up|turns? up|comes? up)",
        )
        if found is None:
            raise Missing(_WHY)
        segment = found[-1]
        before = r.whole[: r.whole.find(segment)] if segment in r.whole else ""
        either = re.search(r"\b(?:either|any\sof|at\sleast\sone|one\sof)\b", before[-60:], re.I) is not None
        if re.search(r"\(.*\b(?:AND|OR|NOT)\b.*\)", segment):
            return r.plain(segment)
    return _joined(r, segment, either)


def _joined(r: Reading, segment: str, either: bool) -> str:
    segment = _ORDER.sub("", segment).strip(" ,;:")
    pieces: list[tuple[str, str]] = []  # how it is joined to what was before, and the word
    kind, at = "", 0
    if re.match(rf"\s*{_NOT}\b".replace(" ", r"\s"), segment, re.I):
        raise Missing(_WHY)
    for match in _JOIN.finditer(segment):
        if match.start() == 0 and not match["comma"]:
            at = match.end()
            continue
        pieces.append((kind, segment[at : match.start()]))
        kind, at = _kind(match), match.end()
    pieces.append((kind, segment[at:]))
    words = [(kind, _piece(r, text)) for kind, text in pieces]
    kinds = [kind for kind, _ in words[1:]]
    if either and "not" not in kinds:
        kinds = ["or"] * len(kinds)
    for place in range(len(kinds) - 1, -1, -1):
        if kinds[place] == ",":
            later = [kind for kind in kinds[place + 1 :] if kind != ","]
            kinds[place] = later[0] if later and later[0] in ("and", "or") else "and"
    positive = {kind for kind in kinds if kind != "not"}
    if len(positive) > 1:
        raise Missing("which words belong together, with parentheses")
    if "not" in kinds and {"or", "and"} & set(kinds[kinds.index("not") :]):
        raise Missing("which words must not occur")
    wanted = [words[0][1], *(word for kind, (_, word) in zip(kinds, words[1:], strict=True) if kind != "not")]
    unwanted = [word for kind, (_, word) in zip(kinds, words[1:], strict=True) if kind == "not"]
    said = (" OR " if "or" in positive else " AND ").join(wanted)
    if "or" in positive and unwanted:
        said = f"({said})"
    return said + "".join(f" AND NOT {word}" for word in unwanted)


def _kind(match: re.Match[str]) -> str:
    if match["comma"]:
        return "and" if match["comma"] in "&+" else ","
    text = match["join"].lower()
    if re.search(rf"\b{_NOT}\b".replace(" ", r"\s"), text):
        return "not"
    return "or" if re.search(r"\bor\b", text) else "and"


def _piece(r: Reading, text: str) -> str:
    text = text.strip(" ,;:")
    marks = MARK.findall(text)
    rest = re.sub(r"\s+", " ", MARK.sub(" ", text)).strip(" ,;:")
    if marks:
        if len(marks) > 1:
            raise Missing(_WHY)
        if rest and not all(word in _LOOSE for word in rest.lower().split()):
            raise Missing(_WHY)
        thing = r.thing(marks[0])
        return _word(thing.value if thing.kind in "qpfd" else thing.raw)
    text = re.sub(
        rf"^{_FILL}".replace(
            "<contain mention include have>",
            "contain|contains|containing|mention|mentions|include|includes|have|has",
        ).replace(" ", r"\s"),
        "",
        f"{text} ",
        flags=re.I,
    ).strip()
    text = re.sub(
        r"\s(?:in|inside)\s(?:it|them|the\stext|their\stext)$|\s(?:in\sit|too|as\swell|somewhere|anywhere|both|at\sonce|alike|together)$",
        "",
        text,
        flags=re.I,
    )
    if not text or len(text.split()) > 3:
        raise Missing(_WHY)
    return _word(text)


_LOOSE = frozenset(
    [
        "the",
        "a",
        "an",
        "word",
        "words",
        "term",
        "terms",
        "keyword",
        "keywords",
        "phrase",
        "phrases",
        "exact",
        "both",
        "either",
        "all",
        "any",
        "of",
        "also",
        "that",
        "which",
        "they",
        "it",
        "is",
        "are",
        "files",
        "do",
        "does",
        "use",
        "contain",
        "contains",
        "mention",
        "mentions",
        "include",
        "includes",
        "have",
        "has",
        "with",
        "in",
        "as",
        "well",
        "exactly",
        "literal",
        "string",
        "strings",
        "one",
        "ones",
        "text",
        "them",
        "there",
        "somewhere",
        "inside",
        "anywhere",
        "too",
        "wording",
        "name",
        "passage",
    ]
)


def _word(text: str) -> str:
    """A word as the language of conditions has it: what is more than one word is a phrase."""
    text = " ".join(text.split())
    if '"' in text or not tokens(text):
        raise Missing(_WHY)
    if re.search(r"\b(?:AND|OR|NOT)\b", text) and len(tokens(text)) > 1:
        return f"({text})" if text.count("(") == text.count(")") else f'"{text}"'
    if len(tokens(text)) == 1 and re.fullmatch(r"\w+\*?", text) and text not in ("AND", "OR", "NOT"):
        return text
    return f'"{text}"'
