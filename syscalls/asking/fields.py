"""fields: a request as an agent logs it: the call, and `key: value` for what it is given.

    semantic search; folder: lectures; prompt: category theory; k: 3      semantic --in lectures -k 3 "category theory"
    rollback: index.html; versions: 4                                     rollback index.html --versions 4

It is read only where everything in it is understood: each key is one of the call's, and said once.
"""

import re
from collections.abc import Iterable

from syscalls.asking.calls import BY_WORD
from syscalls.asking.conditions import expression
from syscalls.asking.masks import MARK, Said, Thing
from syscalls.asking.patterns import CUT
from syscalls.asking.reading import SUFFIX, Missing, Reading
from syscalls.asking.saying import Slots

_CALLS = {
    "keywords": r"(?:keywords?|exact|literal|words?|full[ -]?text)(?: |-)(?:search|query|lookup|match)|keywords?|grep",
    "semantic": r"(?:semantic|meaning|similarity|vector|nearest)(?: |-)?(?:search|query|lookup)?|search by meaning",
    "integrated": r"(?:integrated|hybrid|combined|mixed)(?: |-)?(?:search|query|lookup)?",
    "query": r"query|(?:file )?search|search (?:the )?files|find(?: the)?(?: files| documents)?|look ?up",
    "combine": r"combine(?: (?:two )?(?:questions|queries|searches|topics|results))?|combination",
    "summarise": r"summar(?:y|ise|ize)(?: (?:wanted|needed|please|of files|files))?|digest|tl;?dr",
    "save": r"save(?: (?:a |the )?(?:question|query|search))?|bookmark(?: (?:question|query|search))?",
    "forget": r"forget(?: (?:a |the )?(?:saved )?(?:question|query|search))?|unsave(?: (?:question|query|search))?",
    "log": r"log|history|show (?:the )?(?:log|history)",
    "watch": r"watch|monitor|watch (?:a |the )?(?:file|folder)",
    "compare": r"compare|diff|comparison(?: of files)?|compare (?:files|versions|snapshots|the files|two files)",
    "rollback": r"roll ?back|revert|restore version|roll back (?:a |the )?(?:file|folder)",
    "undelete": r"undelete|un-delete|recover|undelete (?:a |the )?file",
    "purge": r"purge|purge (?:a |the )?file",
    "snapshot": r"snapshot|(?:take|create|make|new) (?:a )?(?:new )?snapshot",
    "scan": r"(?:re)?scan|scan (?:for )?(?:outside )?changes",
    "create": r"create|create (?:a |the )?(?:new )?file|new file",
    "append": r"append|append (?:text )?to (?:a |the )?file|append text",
    "replace": r"replace|overwrite|replace (?:the )?(?:contents?|text)(?: of (?:a |the )?file)?",
    "delete": r"delete|remove|delete (?:a |the )?file",
    "touch": r"touch",
    "translate": r"translate|convert|translate (?:a |the )?file|convert (?:a |the )?file|conversion",
    "lock": r"lock|lock (?:a |the )?file",
    "unlock": r"unlock|unlock (?:a |the )?file",
    "link": r"link|share|share (?:a |the )?file|share link|create (?:a )?(?:share )?link",
    "join": r"join|merge|concatenate|join (?:the )?files",
    "get": r"get|read|show|read (?:a |the )?file|get (?:a |the )?file",
}
_HEADS = {word: re.compile(text.replace(" ", r"\s"), re.IGNORECASE) for word, text in _CALLS.items()}
_KEYS = {  # of a call's arguments, the first that it has
    "PROMPT matching": "prompt|topic|topics|about|question|query|subject|theme|meaning|semantic|search|for|text|q",
    "EXPRESSION WORDS": "words|word|keywords|keyword|expression|terms|term|contains|containing|must contain|filter|phrase",
    "k limit": "k|top|top k|top-k|limit|max|maximum|count|results|hits|n|number|number of results|entries|lines|max results",
    "in PATH": "folder|in|scope|dir|directory|within|under|where|subtree|in folder|file|path",
    "PATH": "file|path|folder|target|source|input|document|what|on|of|doc|filename",
    "version": "version|to version|rev|revision",
    "versions": "versions|steps|back|versions back|steps back|by|count|number|number of versions|n",
    "NAME name": "name|label|title|snapshot|tag|called|named|link name",
    "from": "from|snapshot a|a|first|since|old|before",
    "to at": "to|snapshot|state|time|at|as of|date|point in time|snapshot b|b|second|new|format|target format|timestamp",
    "with": "with|against|other|and|other file|second file",
    "sentences": "sentences|length|sentence count|number of sentences|max sentences",
    "A": "a|first|question a|question 1|q1|topic a|topic 1|one|first question|left",
    "B": "b|second|question b|question 2|q2|topic b|topic 2|two|second question|right",
    "how": "how|mode|operator|op|combination|logic|set operation",
    "since": "since|from|after",
    "as into": "as|to|destination|new path|new name|into|output|out|target|dest|output file|target file",
    "live": "live",
    "everywhere": "everywhere",
    "for": "for|duration|valid for|ttl|time",
    "until": "until|till|expires|expiry",
    "why": "why|reason|because|note|comment",
    "text": "text|content|contents|body|line",
}  # fmt: skip
_HOW = {"both": "both", "and": "both", "all": "both", "intersection": "both", "either": "either", "or": "either", "any": "either",
        "union": "either", "only": "only", "not": "only", "minus": "only", "difference": "only", "a only": "only", "only a": "only", "a not b": "only"}  # fmt: skip
_KEY = re.compile(r"\s*([A-Za-z][\w -]{0,20}?)\s*(?::|=|->|→)\s*(\S.*?)\s*$", re.DOTALL)
_KINDS = {
    "k": "n",
    "limit": "n",
    "versions": "nbv",
    "sentences": "n",
    "version": "vn",
    "for": "l",
    "until": "t",
    "at": "t",
    "since": "t",
}


def told(sentence: Said) -> tuple[str, Slots] | None:
    """The call and its arguments, or None where the sentence is not of that kind."""
    text = re.sub(r",?\s(k)\s?=\s?(\ue000n.):\s", r"; \1: \2; prompt: ", sentence.text)
    text = re.sub(r"\s(?=(?:[a-z]+)=\S)", " ; ", text) if text.count("=") > 1 else text
    for mark in (";", "|", ","):
        parts = [part.strip() for part in text.split(mark) if part.strip()]
        if len(parts) > 1:
            break
    if len(parts) < 2 and _KEY.fullmatch(text) is None:
        return None
    fields: list[tuple[str, str]] = []
    head, keyed = "", 0
    for place, part in enumerate(parts):
        match = _KEY.fullmatch(part)
        if match is None:
            if not place and not MARK.search(part):
                head = part
                continue
            fields.append(("", part))
        elif not place and not head and _word(match[1]):
            head = match[1]
            keyed += 1
            fields.append(("", match[2]))
        elif match[1].lower() in ("call", "op", "operation", "action", "command", "tool", "do") and not head:
            head = match[2]
        else:
            fields.append((match[1].lower(), match[2]))
    word = _word(head)
    keyed += sum(1 for key, _ in fields if key)
    if not head and {"a", "b"} <= {key for key, _ in fields}:
        word = "combine"
        fields = [(key or "how", text if key else _how(text)) for key, text in fields]
    if not word or not fields or not keyed:
        return None
    if word == "query" and {"k", "words", "keywords"} & {key for key, _ in fields}:
        word = "integrated" if {"words", "keywords"} & {key for key, _ in fields} else "semantic"
    try:
        return _filled(word, sentence, fields)
    except Missing:
        return None


def _how(text: str) -> str:
    found = [how for how in ("both", "either", "only") if re.search(rf"\b{how}\b", text, re.I)]
    return found[0] if len(found) == 1 and not MARK.search(text) else ""


def _word(head: str) -> str:
    head = re.sub(r"\s(?:please|wanted|needed|pls)$", "", head.strip(), flags=re.I)
    head = re.sub(
        r"^(?:(?:the|a|an|run|do|start|perform|issue|short|brief|quick)\s)+",
        "",
        head.strip(" .:"),
        flags=re.I,
    )
    found = [word for word, text in _HEADS.items() if word in BY_WORD and text.fullmatch(head)]
    return found[0] if len(found) == 1 else ""


def _filled(word: str, sentence: Said, fields: Iterable[tuple[str, str]]) -> tuple[str, Slots] | None:
    call = BY_WORD[word]
    names = [one.name for one in call.arguments] + [one.name for one in call.options]
    many = {one.name for one in call.arguments if one.many}
    slots: Slots = {}
    for key, text in fields:
        name = _name(word, key, text, names, slots, sentence)
        if name is None:
            return None
        slots[name] = [_value(name, text, sentence)] if name in many else _value(name, text, sentence)
    if word == "compare" and str(slots.get("from", "")).isdigit():
        return None
    needed = [one.name for one in call.arguments if one.required]
    return (word, slots) if all(name in slots for name in needed) else None


def _name(word: str, key: str, text: str, names: list[str], slots: Slots, sentence: Said) -> str | None:
    mark = MARK.fullmatch(text)
    if mark and mark[0][1] == "v" and sentence.thing(mark[0]).raw.lower().startswith("versions"):
        return "versions" if "versions" in names and "versions" not in slots else None
    if not key:
        kind = mark[0][1] if mark else ""
        if kind in ("f", "p", "d"):
            search = "in" in names and "PATH" not in names
            wanted = ["in"] if search else ["PATH"]
        elif kind == "v":
            wanted = ["version"]
        elif kind == "b":
            wanted = ["versions"]
        elif kind == "l":
            wanted = ["for"]
        else:
            wanted = ["PROMPT", "EXPRESSION", "NAME", "text"]
    else:
        wanted = [
            name
            for name_list, keys in _KEYS.items()
            if key in keys.split("|")
            for name in name_list.split()
            if not (name == "PATH" and name_list == "in PATH" and "in" in names)
        ]
        if word == "rollback" and key == "version" and mark is None:
            return None
    return next((name for name in wanted if name in names and name not in slots), None)


def _value(name: str, text: str, sentence: Said) -> object:
    mark = MARK.fullmatch(text)
    thing: Thing | None = sentence.thing(mark[0]) if mark else None
    if name in _KINDS:
        if thing is None or thing.kind not in _KINDS[name]:
            raise Missing(name)
        return thing.value
    if name in ("live", "everywhere"):
        if text.lower() not in ("yes", "true", "on", "1", "y"):
            raise Missing(name)
        return True
    if name == "how":
        how = _HOW.get(text.lower().strip(" ()"))
        if how is None:
            raise Missing(name)
        return how
    if name in ("EXPRESSION", "WORDS"):
        return expression(Reading(Said(f"contain {text}", sentence.things, False)))
    if thing is not None:
        if thing.kind in "rlnb":
            raise Missing(name)
        return f"v{thing.value}" if thing.kind == "v" else thing.value
    if MARK.search(text) or CUT in text or not text.strip():
        raise Missing(name)
    if name in ("PATH", "in", "NAME", "from", "to", "as", "with", "into", "name"):
        if not re.fullmatch(r"[\w.@+~/-]+", text) and not (name in ("PATH", "in") and SUFFIX.search(text)):
            raise Missing(name)
        return text
    text = re.sub(
        r"^(?:the\s)?(?:files|documents|docs|papers|notes|everything|all|anything)\s(?:about|on)\s(?=\S)",
        "",
        text,
        flags=re.I,
    )
    reading = Reading(sentence)
    return reading.subject(text, strict=name != "text")
