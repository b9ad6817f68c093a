"""words: which words of a sentence need no explanation, and which are a reason to refuse when nothing has taken them."""

import functools
import re
from importlib.resources import files

from syscalls.asking.lexicon import CUES
from syscalls.asking.patterns import forms


def _listed() -> dict[str, frozenset[str]]:
    """The lists of words.txt, by name."""
    found: dict[str, set[str]] = {}
    words: set[str] = set()
    for line in (files("syscalls.asking") / "words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = found.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            words.update(line.split())
    return {name: frozenset(some) for name, some in found.items()}


COMMON = _listed()["common"]
# Never explained: a condition, a repetition, a denial, what lsfs cannot do.
DENIALS = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|neither|nor|don't|doesn't|didn't|won't|wouldn't|shouldn't|mustn't|can't|cannot|couldn't|isn't|aren't|wasn't|without|avoid|refrain|cancel|hold off|stop|nowhere|dont|cant|wont|unless|except|instead|rather|hardly|against|skip|refuse|forbid|abstain|nah|nope|wasn't)\b",
    re.IGNORECASE,
)
CONDITIONS = re.compile(
    r"\b(?:if|unless|when|whenever|while|once|until|till|after|before|every|each|daily|hourly|weekly|nightly|monthly|always|either|otherwise|else|or|in case|provided|depending|later|tomorrow|maybe|perhaps|alternatively|except|forever)\b",
    re.IGNORECASE,
)
IMPOSSIBLE = frozenset(form for verb in _listed()["impossible"] for form in forms(verb))

_VERBS = {
    "create": "create", "get": "get read open show display view", "append": "append", "replace": "replace overwrite", "delete": "delete remove erase trash", "touch": "touch",
    "keywords": "", "semantic": "", "integrated": "", "group": "group", "join": "join merge concatenate", "combine": "", "compare": "compare diff", "watch": "watch monitor",
    "summarise": "summarise summarize", "link": "link share revoke", "lock": "lock freeze protect", "unlock": "unlock unfreeze", "translate": "convert translate",
    "log": "", "rollback": "revert rollback rewind roll", "undo": "undo", "undelete": "undelete recover restore", "purge": "purge destroy wipe", "snapshot": "snapshot", "query": "search find",
    "save": "save keep remember", "forget": "forget", "status": "", "scan": "scan rescan", "rebuild": "rebuild reindex recreate",
}  # fmt: skip
IMPERATIVES = frozenset(verb for verbs in _VERBS.values() for verb in verbs.split())
ACTIONS = frozenset(form for verbs in _VERBS.values() for verb in verbs.split() for form in forms(verb))


# What may stand beside a call although it denies or conditions something else.
ALLOWED: dict[str, frozenset[str]] = {
    word: frozenset(text.split())
    for word, text in {
        "append": "without not instead after else", "replace": "nothing instead not rather once except else", "delete": "isn't aren't nothing no not don't longer every each never again", "lock": "so no-one else without not no nobody don't cannot can't mustn't never none stop against without",
        "unlock": "shouldn't needn't isn't mustn't doesn't no not stop don't longer again cancel once", "forget": "isn't doesn't shouldn't mustn't needn't won't again no not don't stop never cancel", "group": "isn't no not don't every each always", "link": "no not nobody stop", "undo": "not didn't never no cancel wasn't before shouldn't",
        "undelete": "not didn't never no shouldn't before", "purge": "no nothing never not cannot can't none nobody every ever or once forever either", "status": "not whether if while until couldn't can't cannot aren't weren't", "scan": "not without nothing whether if no every each", "combine": "or either each every not without",
        "keywords": "every each", "integrated": "every each", "semantic": "every each", "query": "every each", "watch": "when whenever every each if once while", "log": "when every each", "summarise": "every each",
        "rollback": "before not instead", "translate": "instead rather", "snapshot": "before", "create": "", "join": "every each after", "get": "", "rebuild": "not cancel", "compare": "can't against", "touch": "when without", "save": "again later don't not", "purge ": "",
    }.items()
}  # fmt: skip
_OTHERS = {
    "create": "get save query join", "get": "query", "append": "save get create", "replace": "delete purge get create", "delete": "query get forget purge", "touch": "replace get", "semantic": "get query", "query": "get",
    "keywords": "get query save", "integrated": "get query", "combine": "get query join delete save", "group": "query get delete save create lock", "join": "query append create get save", "compare": "get query summarise", "watch": "get query save", "summarise": "get query",
    "link": "get create", "lock": "get save", "unlock": "get delete undo", "translate": "save get create", "log": "get query save", "rollback": "undo undelete get", "undo": "rollback undelete get", "undelete": "rollback undo get query delete",
    "purge": "delete forget get save", "snapshot": "save lock get create", "save": "get create append query", "forget": "delete get purge save", "status": "get query", "scan": "query watch get", "rebuild": "delete purge create get",
}  # fmt: skip


@functools.cache
def _meant_by(verb: str) -> frozenset[str]:
    return frozenset(
        word
        for word, verbs in _VERBS.items()
        if verb in [form for one in verbs.split() for form in forms(one)]
    )


def beside(word: str, verb: str) -> bool:
    """Whether a verb of another call may stand in a sentence that means this one: `search for papers and summarise them`."""
    return bool(_meant_by(verb) & set(_OTHERS[word].split()))


def another(word: str, text: str) -> str:
    """A verb at the head of a clause that asks for another call, which this one has no part in: `unlock and lock`."""
    heads = re.finditer(
        r"(?:^|\band|\bthen|[,;.:])\s*(?:then\s|also\s|please\s|now\s|afterwards\s|finally\s)*([a-z'-]+)",
        text,
        re.IGNORECASE,
    )
    for match in heads:
        calls = _meant_by(match[1].lower()) if match[1].lower() in IMPERATIVES else frozenset()
        if calls and word not in calls and not calls & set(_OTHERS[word].split()):
            return match[1]
    return ""


def denied(word: str, text: str) -> bool:
    """Whether what the call does is denied: `do not lock`, `never delete`."""
    verbs = "|".join(form for verb in _VERBS[word].split() for form in forms(verb))
    if not verbs:
        return False
    if word not in ("delete", "forget", "unlock", "group", "undo", "purge", "undelete") and re.search(
        r"\b(?:don't|do not|didn't|doesn't|does not|never|no longer) (?:really |actually |currently )?(?:want|wish|need|like)\b",
        text,
        re.IGNORECASE,
    ):
        return True
    return (
        re.search(
            rf"\b(?:not|don't|never|dont|needn't|shouldn't|mustn't|won't|can't|cannot|avoid|refrain from|without|stop|no need to|instead of|rather than)\s(?:\w+\s){{0,2}}?(?:{verbs})\b",
            text,
            re.IGNORECASE,
        )
        is not None
    )


@functools.cache
def prototypes() -> dict[str, tuple[str, ...]]:
    """The sentences of prototypes.txt, by call."""
    found: dict[str, list[str]] = {}
    word = ""
    for line in (files("syscalls.asking") / "prototypes.txt").read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("["):
            word = line[1:-1]
            found[word] = []
        elif line and not line.startswith("#"):
            found[word].append(line)
    return {name: tuple(lines) for name, lines in found.items()}


@functools.cache
def vocabulary(word: str) -> frozenset[str]:
    """The words that a call is asked for with, in all their forms."""
    known: set[str] = set()
    for line in prototypes()[word]:
        for one in re.findall(r"[a-z][a-z'-]+", line.lower()):
            known.update((one, *forms(one)) if len(one) > 3 else (one,))
    for weight, cue in CUES[word]:
        if weight > 0:
            cue = re.sub(r"\(\?<?!(?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", " ", cue)
            plain = re.sub(r"\\[a-z]|\{\w+\}|\(\?[:=!<]+", " ", cue)
            for one in re.findall(r"[a-z][a-z'-]+", plain.lower()):
                known.update(forms(one) if len(one) > 3 or one in ("put", "cut", "add", "rid") else (one,))
    return frozenset(known)
