"""sound: whether the tags of a sentence leave nothing out that belongs to what they take: the rest of a name, a word of a condition, the
end of a question. What is not sound is no reading of the sentence, however likely the network finds it.
"""

import re
from collections.abc import Mapping, Sequence

from syscalls.asking.reading import SUFFIX
from syscalls.asking.roles import CONDITION, PATHS
from syscalls.asking.tokens import Token

NAMELESS = frozenset(
    [
        "I",
        "I'm",
        "I'd",
        "I've",
        "I'll",
        "Path",
        "File",
        "Folder",
        "Task",
        "Step",
        "Markdown",
        "Word",
        "PDF",
        "Please",
        "Target",
        "Source",
        "A",
        "Output",
    ]
)
_JOINS = frozenset(("and", "or", "nor", "&", "+", "|", ",", "plus"))
_SAYS = frozenset(("question", "query", "topic", "prompt", "by", "on", "ask", "subject"))
_TELLS = frozenset(
    (
        "say",
        "says",
        "saying",
        "text",
        "content",
        "contents",
        "body",
        "line",
        "read",
        "reads",
        "goes",
        "get",
        "add",
    )
)
_ASKED = ("question", "A", "B")
_HOW = frozenset(("how", "where", "why", "when", "who", "whose", "what", "which"))
_DOES = frozenset(
    ("to", "does", "do", "did", "should", "can", "will", "would", "is", "are", "was", "were", "must")
)
_RAW = re.compile(r"\b(?:AND|OR|NOT)\b")
_BEGINS = frozenset(("begin", "begins", "beginning", "start", "starts", "starting", "prefix"))


def sound(known: Mapping[str, int], found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether tags take whole things. known: words that are left in other sentences."""
    return not (
        _torn(found, tags)
        or _apart(found, tags)
        or _short(known, found, tags)
        or _cut(found, tags)
        or _asked(known, found, tags)
        or any(
            tag[2:] in ("count", "sentences")
            and one.kind == "l"
            or tag[2:] in CONDITION
            and tag[2:] != "expr"
            and one.kind == "q"
            and _RAW.search(one.inner)
            for one, tag in zip(found, tags, strict=True)
        )
    )


def _asked(known: Mapping[str, int], found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether a question stands beside a word that belongs to it: `how does`, `where to find`, or one that nobody leaves."""
    for at, (one, tag) in enumerate(zip(found, tags, strict=True)):
        if tag[2:] not in _ASKED or one.kind == "q":
            continue
        after = found[at + 1] if at + 1 < len(found) and tags[at + 1] == "O" else None
        if (
            after is not None
            and after.kind == "w"
            and after.text.lower() not in known
            and not after.text.endswith("ed")
        ):
            return True
        if tag[0] == "B":
            before = [
                each.text.lower() if have == "O" else ""
                for each, have in zip(found[max(0, at - 3) : at], tags[max(0, at - 3) : at], strict=True)
            ]
            before = ["", "", "", *before][-3:]
            if (
                before[2] in _HOW - {"where", "what"}
                and before[1] not in ("in", "on", "of")
                or before[2] in _DOES
                and before[1] in _HOW
                or before[1] == "to"
                and before[0] in _HOW
            ):
                return True
            if at and tags[at - 1] == "O" and found[at - 1].kind == "w" and before[2] not in known:
                return True
    return False


def _short(known: Mapping[str, int], found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether a word that nobody leaves is joined to a term and left, or a term is only the word that says how one begins."""
    for at, tag in enumerate(tags):
        if tag[2:] not in CONDITION or tag[2:] == "expr":
            continue
        if tag[0] == "B" and found[at].text.lower() in _BEGINS and found[at].kind == "w":
            after = [one[2:] for one in tags[at + 1 : at + 3]]
            if any(one in CONDITION for one in after):
                return True
        more = any(one[2:] in CONDITION for one in tags[at + 1 :])
        for step in (1, -1):
            place = at + step
            joined = False
            while (
                0 <= place < len(tags)
                and tags[place] == "O"
                and (found[place].text.lower() in _JOINS or found[place].text in "\"'()")
            ):
                joined = joined or found[place].text.lower() in (
                    _JOINS if step < 0 or more else _JOINS - {","}
                )
                place += step
            if joined and 0 <= place < len(tags) and tags[place] == "O":
                one = found[place]
                upper = any(
                    found[each].text in ("AND", "OR", "NOT")
                    for each in range(min(at, place) + 1, max(at, place))
                )
                if one.kind in "wq" and (upper or one.kind == "q" or one.text.lower() not in known):
                    return True
    return False


def _cut(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether a question or a text that stands behind its label (`question: …`) begins later than there, or ends before the next mark."""
    for at, tag in enumerate(tags):
        labels = _SAYS if tag[2:] in _ASKED else _TELLS if tag[2:] == "text" else ()
        if tag[:1] != "B" or not labels or found[at].kind == "q":
            continue
        start = at
        while start and tags[start - 1] == "O" and found[start - 1].text not in (":", "="):
            start -= 1
        if start < 2 or found[start - 1].text not in (":", "=") or tags[start - 1] != "O":
            continue
        if found[start - 2].text.lower() not in labels:
            continue
        end = at + 1
        while end < len(tags) and tags[end] == "I-" + tag[2:]:
            end += 1
        if start != at or end < len(tags) and tags[end] == "O" and found[end].kind != ".":
            return True
    return False


_ABSENT = re.compile(
    r"[\"'”’)]*\s*(?:does(?:n['’]t| not)|do(?:n['’]t| not)|is(?:n['’]t| not)|must(?:n['’]t| not)|may not|should(?:n['’]t| not)|is (?:absent|missing|excluded|out)|absent|missing|excluded)\b",
    re.I,
)
_NEXT = re.compile(
    r"[\"'”’)]*,?\s*(?:or(?! (?:so|more|less|fewer)\b)|(?:but|and|yet|though)\s(?:not|no|never|without|lacks?|lacking)|lacks?|lacking|without|minus|nor)\s(?!others?\b|more\b|else\b|guess|rank|order|model|regard|exception)(?:also\s|with\s|for\s|the\s|a\s|any\s)*(?:words?\s|terms?\s|phrase\s)?[\w\"'“‘]",
    re.I,
)
_DENIED = re.compile(
    r"\b(?:not|no|without|never|nor|neither|except|but|minus|free of)\b|n't\b|\black|\b(?:exclud|omit|leav|skip|avoid|miss)",
    re.I,
)


def unsaid(text: str, terms: list[tuple[str, list[Token]]]) -> bool:
    """Whether a term is left out that `or` or `not` joins with the others, or a term is absent by its role only, or by its sentence only."""
    if not terms or terms[0][0] == "expr":
        return False
    if re.search(r"\w\W*\s(?:or|and)\W*$", text[: terms[0][1][0].start], re.I):
        return True
    if _NEXT.match(text, terms[-1][1][-1].end):
        return True
    for role, span in terms:
        absent = _ABSENT.match(text, span[-1].end) is not None
        if role.startswith("not") and not absent and _DENIED.search(text[: span[0].start]) is None:
            return True
        if absent and not role.startswith("not"):
            return True
    return False


_FOLDERS = frozenset(
    ("folder", "directory", "dir", "mkdir", "subfolder", "subdirectory", "sub-folder", "folders")
)
_IN = frozenset(("in", "from", "inside", "within", "under", "below", "of"))
_FILES = frozenset(("file", "document", "doc", "note", "text", "page", "copy", "textfile", "txt"))


def of_a_folder(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether it is a folder that is to be made: one is named, and no file."""
    left = {one.text.lower() for one, tag in zip(found, tags, strict=True) if tag == "O"}
    named = [one.inner for one, tag in zip(found, tags, strict=True) if tag in ("B-path", "I-path")]
    return (
        bool(named)
        and bool(left & _FOLDERS)
        and not left & _FILES
        and "B-path/" not in tags
        and SUFFIX.search(named[-1]) is None
    )


def _torn(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether a name ends where the next word with a capital belongs to it: `Final` of `the folder Final Grades`."""
    for at, (one, tag) in enumerate(zip(found, tags, strict=True)):
        if (
            tag[2:].rstrip("/") not in PATHS
            or one.kind == "q"
            or not one.text[0].isupper()
            and not one.text[0].isdigit()
        ):
            continue
        before = found[at - 1] if at > 1 and tag[0] == "B" and tags[at - 1] == "O" else None
        if (
            before is not None
            and found[at - 2].kind != "."
            and before.text not in NAMELESS
            and _capital(before)
            and one.start - before.end == 1
        ):
            return True
        after = found[at + 1] if at + 1 < len(found) and tags[at + 1] == "O" and one.kind != "f" else None
        if (
            after is not None
            and _capital(after)
            and after.text not in NAMELESS
            and after.start - one.end == 1
        ):
            return True
    return False


def _apart(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether the folder that a file is said to be in is taken for a second file."""
    return any(
        tag == "B-path"
        and "B-path" in tags[:at]
        and found[at - 1].text.lower() in _FOLDERS
        and {one.text.lower() for one in found[max(0, at - 3) : at - 1]} & _IN
        for at, tag in enumerate(tags)
    )


def _capital(one: Token) -> bool:
    return one.kind in "wf" and one.text[0].isupper() and (len(one.text) == 1 or not one.text.isupper())
