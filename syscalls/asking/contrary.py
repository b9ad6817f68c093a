"""contrary: whether an argument, or its absence, contradicts words that are left in the sentence: `no LLM` without `no-llm`, `dry run` without
`dry-run`, a file that is kept and goes, a label (`reason: …`) whose value nothing took. What is contrary is no reading of the sentence.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from syscalls.asking.calls import BY_WORD
from syscalls.asking.tokens import Token

_NO_MODEL = re.compile(
    r"\b(?:no|not|without|skip|omit|avoid|minus|sans|leave out|leaving out|don't)\b(?: \w+){0,3}? (?:llm|llms|language models?|ai)\b"
    r"|\b(?:llm|language model|ai) (?:left out|left aside|not|off|excluded|no|is not|stays out|unneeded)\b|\b(?:leav\w+|keep\w*) (?:\w+ ){0,3}(?:llm|language model|ai) (?:out|aside|off)\b"
)
_KEPT = re.compile(
    r"\b(?:keep|keeps|keeping|(?<!has )kept|stay(?! behind)|stays|staying|remain|remains|remaining|leave|leaving|untouched|survives?|spared?|retained?|preserved?)\b"
)
_WITH_IT = re.compile(
    r"\b(?:including|included|inclusive|incl|also|even|and|with|plus|comprising|neither|nor|not even)\b(?: \w+){0,2} (?:live|present|current|today's)\b"
    r"|\b(?:live|present|current) (?:\w+ ){0,2}(?:too|included|also|as well|with it)\b|\bpast and present\b|\band the (?:file|folder) (?:itself|too)\b"
    r"|\b(?:no|not even the|nor the) (?:live )?file\b|\b(?:file|folder|itself|themselves) (?:\w+ )?(?:too|also|as well|either)\b|\bthe file either\b"
)
_NOW = re.compile(r"\b(?:live|present|current|today|today's|now|itself|stands)\b")
_REVOKED = frozenset(
    (
        "revoke",
        "revoked",
        "withdraw",
        "withdrawn",
        "unshare",
        "invalidate",
        "invalidated",
        "revoking",
        "withdrawing",
    )
)
_COPY_OF = re.compile(r"\b(?:copy|duplicate|copies) of (?:the |my )?(?:file |folder )?$")
_ALL_KEPT = re.compile(r"\bkeep (?:all|every|each)\b|(?<!never )(?<!not )\b(?:stay|remain|be) restorable\b")
_SO = {
    "lock": re.compile(r"\bso (?:that )?(?:everybody|everyone|anybody|anyone|all) (?:can|could|may)\b"),
    "unlock": re.compile(r"\bso (?:that )?(?:nobody|no-one|no one) (?:can|could|may)\b"),
}
_FORMATS = {"md": "md", "html": "html", "htm": "html", "docx": "docx", "txt": "txt"}
_EMPTY = frozenset(("empty", "blank"))
_COPIED = re.compile(
    r"\b(?:cop\w+|duplicat\w+|clon\w+|from|same|like|bas(?:ed|is)|template|contents?|out of|import\w*|of|using|use|start\w*|with|take\w*|cp|identical|twin|replica\w*|becomes?|into|mirror\w*|as)\b"
)
_LABELS = frozenset(
    ("name", "label", "labelled", "reason", "question", "prompt", "content", "body", "directory", "keywords")
)
_NO_VALUE = frozenset(
    (
        "yes",
        "no",
        "none",
        "all",
        "any",
        "keep",
        "now",
        "everything",
        "default",
        "true",
        "false",
        "whole",
        "the",
        "same",
        "nothing",
    )
)


def contrary(call: str, slots: Mapping[str, Any], found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether what is left of the sentence says otherwise."""
    left = [one.text.lower() for one, tag in zip(found, tags, strict=True) if tag == "O"]
    rest = " ".join(one for one in left if any(char.isalnum() for char in one))
    options = {one.name for one in BY_WORD[call].options}
    if "no-llm" in options and "no-llm" not in slots and _NO_MODEL.search(rest):
        return True
    if (
        "dry-run" in options
        and call == "delete"
        and "dry-run" not in slots
        and ("dry run" in rest or "dry-run" in left)
    ):
        return True
    if call == "purge":
        if "everywhere" in left and "everywhere" not in slots:
            return True
        if "live" not in slots and _WITH_IT.search(rest) and not _KEPT.search(rest):
            return True
        if "live" in slots and _KEPT.search(rest) and _NOW.search(rest):
            return True
    if call == "link":
        if "token" in left and "check" not in slots and not _REVOKED.intersection(left):
            return True
        if (
            "PATH" in slots
            and _REVOKED.intersection(left)
            or "name" not in slots
            and "PATH" in slots
            and _named(found, tags)
        ):
            return True
    if call == "create" and "from" in slots and (_EMPTY.intersection(left) or not _COPIED.search(rest)):
        return True
    if call in ("create", "append", "replace") and "from" in slots and _turned(call, found, tags):
        return True
    if (
        call == "compare"
        and "from" in slots
        and "to" not in slots
        and "between" in left
        and not _NOW.search(rest)
    ):
        return True
    if call == "create" and "from" not in slots and _COPY_OF.search(_until(found, tags)):
        return True
    if call == "join" and "in-place" in slots and re.search(r"(?<!than )\binto a new file\b", rest):
        return True
    if call in _SO and _SO[call].search(rest) or call == "purge" and _ALL_KEPT.search(rest):
        return True
    if (
        call == "translate"
        and "to" in slots
        and _FORMATS.get(str(slots.get("into", "")).rpartition(".")[2], slots.get("to")) != slots.get("to")
    ):
        return True
    if call == "join" and _strays(found, tags):
        return True
    if call == "combine" and (
        _otherwise(str(slots.get("how", "both")), left)
        or slots.get("how") == "only"
        and _subtracted(found, tags)
    ):
        return True
    return _labelled(found, tags)


def _until(found: Sequence[Token], tags: Sequence[str]) -> str:
    """What stands before the first path."""
    end = next((at for at, tag in enumerate(tags) if tag == "B-path"), 0)
    return " ".join(one.text.lower() for one in found[:end]) + " "


def _turned(call: str, found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether what is written from is taken for what is written: `from the file a.md`, `a copy of a.md`, `into a.md`."""
    words = [one.text.lower() if tag == "O" else tag for one, tag in zip(found, tags, strict=True)]
    for at, tag in enumerate(words):
        before = [
            one
            for one in words[max(0, at - 8) : at]
            if one not in ("the", "file", "a", "entire", "new", "whole", "complete", "only", "of")
        ]
        last, both = before[-1:], before[-2:]
        if tag == "B-path" and (
            last == ["from"]
            or call == "create"
            and last == ["copy"]
            or call != "create"
            and (last in (["using"], ["use"]) or both == ["held", "in"])
        ):
            return True
        if (
            tag == "B-source"
            and call != "create"
            and (last in (["into"], ["onto"]) or both in (["as", "content"], ["as", "contents"]))
        ):
            return True
    return False


def _strays(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether a word is joined with files, what comes behind is taken for the first, or what files are followed by is taken for what they go into."""
    files = words = 0
    begins = [at for at, tag in enumerate(tags) if tag == "B-path"]
    if len(begins) == 2:
        between = [one.text.lower() for one in found[begins[0] : begins[1]]]
        if "behind" in between or "after" in between and "one" not in between and "other" not in between:
            return True
    for at, (one, tag) in enumerate(zip(found, tags, strict=True)):
        alone = tag == "B-path" and list(tags[at + 1 : at + 2]) != ["I-path"]
        files += alone and one.kind == "f"
        words += alone and one.kind == "w"
        if tag == "B-into" and [each.text.lower() for each in found[max(0, at - 2) : at]] == [
            "followed",
            "by",
        ]:
            return True
    return files > 1 and words > 0


def _otherwise(how: str, left: Sequence[str]) -> bool:
    """Whether a word says another way to combine."""
    union = bool({"union", "either"} & set(left))
    return (
        how != "either"
        and union
        or how != "both"
        and bool({"intersect", "intersection", "intersected"} & set(left))
    )


def _subtracted(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether what is subtracted is taken for what it is subtracted from."""
    words = [one.text.lower() if tag == "O" else tag for one, tag in zip(found, tags, strict=True)]
    if "B-A" not in words or "B-B" not in words:
        return False
    one, other = words.index("B-A"), words.index("B-B")
    return (
        one < other
        and bool({"subtract", "subtracting", "deduct", "exclude", "excluding"} & set(words[:one]))
        and "from" in words[one:other]
    )


def _named(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether a name is said, and left."""
    return any(
        one.text.lower() in ("named", "called", "labelled") and tag == "O" and after == "O" and word.kind in "wfq" and word.text.lower() not in ("for", "it", "as")
        for one, tag, word, after in zip(found, tags, found[1:], tags[1:], strict=False)
    )  # fmt: skip


def _labelled(found: Sequence[Token], tags: Sequence[str]) -> bool:
    """Whether the value of a label is left."""
    for at in range(len(found) - 2):
        one, mark, value = found[at : at + 3]
        if (
            one.text.lower() in _LABELS
            and mark.text in (":", "=")
            and list(tags[at : at + 3]) == ["O", "O", "O"]
            and value.kind != "."
            and value.text.lower() not in _NO_VALUE
        ):
            return True
    return False
