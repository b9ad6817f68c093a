"""intents: the one call that a sentence means, with what it is given; otherwise a refusal that says why and names the nearest calls.

Each call is a candidate by the words that speak for it (`lexicon`). A candidate is filled (`slots`), and pays for every word that it does not explain. It is refused for a file, number
or quotation that no argument took, for a verb of another call, a denial, a condition, and for what lsfs cannot do. The best one is meant
if it is good enough, and better than every other plan by a margin. Pure.
"""

import re
from dataclasses import dataclass, field, replace

from syscalls.asking.calls import BY_WORD, read
from syscalls.asking.fields import told
from syscalls.asking.fillers import reasoned, respelled, simpler
from syscalls.asking.lexicon import CUES
from syscalls.asking.masks import LONGEST, MARK, Said, said
from syscalls.asking.patterns import pattern
from syscalls.asking.reading import Missing, Reading
from syscalls.asking.saying import Slots
from syscalls.asking.slots import filled
from syscalls.asking.unasked import thanked, unasked
from syscalls.asking.words import (
    ACTIONS,
    ALLOWED,
    COMMON,
    CONDITIONS,
    DENIALS,
    IMPERATIVES,
    IMPOSSIBLE,
    another,
    beside,
    denied,
    vocabulary,
)
from syscalls.errors import InvalidArgument

LEAST = 2.0  # without it, a call is not thought of
ENOUGH = 2.0  # of the best candidate
MARGIN = 1.0
UNKNOWN = 1.0  # what a word costs that nothing explains
MOST_UNKNOWN = 2
HEADS = frozenset(
    ["show", "give", "list", "display", "tell", "print", "find", "get", "let", "make", "have"]
)  # what a wish begins with
_OUTSIDE = re.compile(
    r"\b(?:weather|news|internet|web search|the web|google|wikipedia|database for|online|website|twitter|youtube|right now|today|yesterday|tomorrow)\b",
    re.IGNORECASE,
)
_FORMATS = frozenset(
    (
        "csv",
        "json",
        "html",
        "pdf",
        "markdown",
        "word",
        "docx",
        "text",
        "latex",
        "python",
        "log",
        "excel",
        "yaml",
        "toml",
    )
)
_HOW = frozenset(  # adverbs that ask for more than a call does
    [
        "automatically",
        "permanently",
        "repeatedly",
        "regularly",
        "periodically",
        "conditionally",
        "only",
        "separately",
        "selectively",
        "differently",
        "randomly",
        "partly",
        "early",
        "apply",
        "reply",
        "family",
        "anomaly",
        "assembly",
        "supply",
        "rely",
        "hourly",
        "monthly",
        "weekly",
        "daily",
        "nightly",
        "finally",
        "irreversibly",
        "alphabetically",
        "numerically",
        "recursively",
        "multiply",
    ]
)
_SEARCHES = ("query", "semantic", "keywords", "integrated", "combine")
FREE = "\ue000z\ue8ff"  # stands for free text that an argument took
_FIRST = 0.75  # what it costs more where that word is the first: mostly it is what is to be done
_JOINED = re.compile(
    r"\b(?:except|minus|excluding|while|well|time|other|and|or|but|not|without|both|either|that|which|with|by|into|contain\w*|mention\w*|keywords?|words?|phrases?)\b",
    re.IGNORECASE,
)
PLAIN = 400  # characters beside names and quotations: patterns take time, and nothing else runs meanwhile

_QUESTION = re.compile(
    r"^(?:(?:does|will|can|is|are|did) (?:a |an |the )?(?:undo|rollback|roll back|purge|purging|snapshots?|watch|watching|lock|locking|scan|scanning|undelete|rebuild)\b(?!.*\ue000[fp])|how (?:do(?! (?:the |my )?\ue000.*(?:differ|compare)$)|can|would|should|could|to|come)\b|what (?:does|do|is|are|would|happens?)\b.*\b(?:commands?|calls?|options?|syntax|mean(?:s|ing)? of|difference between (?:a |an |the )?(?:rollback|undo|lock|link|purge|delet|snapshot|save|query|undelete|watch|scan|append|replace|get|create))"
    r"|what happens (?:if|when)|what(?:'s| is| are) (?:a|an|the (?:point|purpose|command|syntax|use|meaning|best way)|lsfs$|your)\b|why\b|is it (?:possible|safe|ok|okay|dangerous|wise)|is there (?:a|any) way|(?:can|does|will|could|should|is|do|are) (?:lsfs|i|we|the command|it|you)\b(?! have (?:any|something|files|anything)| still | done| up)"
    r"|should\b|explain (?:how|what|why|to me|the (?:command|difference|concept|meaning|syntax)|rollback|undo|snapshots?|purge)\b|tell me how (?:to|i|do)\b|teach|which (?:command|call|option)|do you know|who (?:are|is)\b|what can\b|describe how|show me how (?:to|i|you|one|we)\b|what (?:would|will|does|did|can) (?:a|an|the|undo|lock|purge|rollback|rebuild|scan)\b.* do$|i wonder|what if\b|suppose|imagine|pretend (?:to be|you)|ignore (?:all|any|previous|the|your)|would it\b|when (?:should|do|can)\b|where do i (?!find)|help\b|which is (?:better|faster|safer))",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"^(?:(?:i|we|he|she|they|somebody|someone|you) (?:just |have |had |already |has |once |never |always |only |did )*(?:not )?(?:deleted|removed|locked|unlocked|created|read|opened|appended|replaced|converted|translated|purged|scanned|saved|joined|merged|watched|compared|renamed|moved|wrote|shared|linked|rolled|reverted|made|put|took|used|said|told|heard|think|thought|believe|guess|hope|know|remember|saw|see|dreamt|was|were|am|are)\b"
    r"|(?:my|the|our|his|her) (?:boss|colleague|friend|manual|book|teacher|manager|user|docs?|documentation|e-?mail|letter|article|guide|readme|tutorial|man page|note|wife|husband|brother|sister|mother|father|cat|dog)\b)",
    re.IGNORECASE,
)


_HOUR = re.compile(  # of a day: whatever is understood is done at once
    r"\b(?:at|by|around|before|after|from|until|till|towards|past|next|every)\s(?:about\s|the\s|this\s)?(?:dawn|daybreak|sunrise|breakfast|morning|noon|midday|lunch(?:time)?|afternoon|teatime|dusk|sunset|evening"
    r"|dinner|nightfall|night|bedtime|midnight|weekend|\d{1,2}(?::\d\d|\s?[ap]\.?m\b|\so'clock))|\bovernight\b|\b(?:in|during|over)\sthe\s(?:early\s|late\s)?(?:morning|afternoon|evening|night|weekend)\b",
    re.IGNORECASE,
)
_CHANGING = frozenset(
    ["create", "append", "replace", "delete", "touch", "join", "translate", "lock", "unlock", "link"]
)
_ASKS = re.compile("^(?:who|whose|why|when|is|are|was|were|did|does)\\b[^?;:.]*$", re.IGNORECASE)
_HE = re.compile("^(?:he|she|they|someone|somebody|it)\\b", re.IGNORECASE)
_BUT = re.compile(
    "\\b(?:for|with|to) (?-i:[A-Z])\\w+ (?:only|alone)\\b|\\b(?:only|just) (?:for|with|to) (?-i:[A-Z])|\\bbut (?:not|never)\\b(?! (?:actually|really|yet|in place))",
    re.IGNORECASE,
)
_PARTS = re.compile(
    "\\b(?:lines?|paragraphs?|sentences?|words?|sections?|rows?|columns?|pages?|headings?|titles?|chapters?|half|entry|entries|items?|summary|abstract|first part|last part)"
    "(?: \\w+| \ue000[nvq].)? (?:of|from|in|on) (?:the |my )?\ue000[fp]",
    re.IGNORECASE,
)
_IS = re.compile(
    "(?:(?:the|my|our|this) \\w+ (?:on|of|in|for) )?(?:the |my |our )?\ue000[fpd]. (?:is|was|are|were|looks?|seems?|has been|got) (?:still |already |now |very |too |so |quite |really |just )*"
    "(?:locked|unlocked|fine|good|ok|okay|great|empty|full|old|new|done|finished|ready|shared|frozen|open|safe|protected|long|short|big|small|nice|bad|correct|right|mine|yours)",
    re.IGNORECASE,
)
_MARKS_ONLY = re.compile("\ue000[fpd].(?:(?:,|;| and| or| &)* ?\ue000[fpd].)*")
_RETRACTED = re.compile(
    r"\?\s*(?:no|nope|nah|never)[.!]*$|[,;.!–—-]\s*(?:(?:oh|no|wait|actually|sorry|hm+|or|but|and|well|please|ah)[,.!]?\s+)*(?:don't|do not|never ?mind|scratch that|forget (?:it|that|about it)|(?:just |only )?kidding|on second thoughts?|wait|rather not|better not|not now|not yet|leave it|cancel that)[.!]*$",
    re.IGNORECASE,
)
_OF_A_COMMAND = re.compile(
    r"^(?:what|is|are|was|were|why|how|which|does|do|did|should|would|could|can|will|has)\b.*\b(?:do|does|mean|means|meant|right|command|call|phrase|say|said|difference|differ|work|works|happen|happens|dangerous|safe|clever|correct|wise|wrong|typed?|wrote|written|allowed)\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(rf"(?:lsfs )?(?:{'|'.join(sorted(IMPERATIVES))}|roll|back|touch|status|log)(?: |$)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that a sentence may mean. wrong: why it does not; missing: what it would need."""

    word: str
    score: float
    slots: Slots = field(default_factory=dict)
    unknown: int = 0
    wrong: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """word: the call that is meant, "" for none; slots: its arguments, as one would type them; why: of a refusal, one sentence; nearest:
    the calls that a refused sentence is nearest to; final: it is no request at all, and nobody else is asked; unknown: words of it
    that the call does not explain; score: of the call (`Candidate`); sure: both readers understand it so (`agreed`)."""

    word: str = ""
    slots: Slots = field(default_factory=dict)
    why: str = ""
    nearest: tuple[str, ...] = ()
    final: bool = False
    unknown: int = 0
    score: float = 10.0
    sure: bool = False


def understood(prompt: str) -> Understood:
    """What a sentence asks for. Never raises."""
    if len(prompt) > LONGEST:
        return Understood(why=f"A request has {LONGEST} characters at most.", final=True)
    sentence = said(prompt)
    if not sentence.text:
        return Understood(why="Say what is to be done.", final=True)
    if len(sentence.text) > PLAIN:
        return Understood(
            why=f"A request has {PLAIN} characters at most beside what stands in quotation marks; put the text or the question there.",
            final=True,
        )
    if thanked(prompt[:LONGEST]):
        return Understood(
            why="This tells something, and asks for nothing. Say what is to be done.", final=True
        )
    fields = None if _refused(sentence) else told(sentence)
    if fields is not None and _reads(*fields):
        return Understood(*fields)
    reason = reasoned(sentence.text)
    if reason != sentence.text:
        found = _understood(replace(sentence, text=reason))
        if found.word:
            return found
    found = _understood(sentence)
    if found.word or found.final:
        return found
    right = respelled(sentence.text)
    texts = [right] if right != sentence.text else []
    for text in (*texts, *simpler(right)):
        again = _understood(replace(sentence, text=text))
        if again.word and all(
            _written(again.slots, name, prompt) for name in ("PROMPT", "A", "B", "matching", "why", "text")
        ):
            return again
    if re.match(r"\s*(?:query|search|question|topic)\s*[:=]\s*\w", prompt, re.IGNORECASE):
        again = _understood(replace(sentence, text=f"find files about {sentence.text}"))
        if again.word == "query":
            return again
    return found


def _reads(word: str, slots: Slots) -> bool:
    try:
        read(word, slots)
    except InvalidArgument:
        return False
    return True


def _first_unknown(word: str, reading: Reading) -> bool:
    match = re.match(r"([^\W\d_][\w'-]*)", reading.whole)
    one = match[1].lower() if match else ""
    return (
        bool(one)
        and one in reading.left().lower().split()
        and one not in vocabulary(word)
        and one not in COMMON
    )


def _written(slots: Slots, name: str, prompt: str) -> bool:
    """Whether a free text stands in the sentence as it was written, before a word of it was taken for another."""
    return " ".join(str(slots.get(name, "")).split()) in " ".join(prompt.split())


def _understood(sentence: Said) -> Understood:
    ranked = candidates(sentence)
    nearest = tuple(one.word for one in ranked[:3] if one.score >= LEAST)
    why = _refused(sentence)
    if why:
        return Understood(why=why, nearest=nearest, final=True)
    good = [one for one in ranked if not one.wrong and not one.missing]
    if not good or good[0].score < ENOUGH + 0.5 * good[0].unknown:
        return Understood(why=_why(ranked, good), nearest=nearest)
    best = good[0]
    for other in ranked:
        if other.word == best.word or _same(best, other):
            continue
        if (
            other.missing
            and not (other.word == "integrated" and best.word in _SEARCHES)
            and other.score >= best.score + 2.5
            and (best.word in _SEARCHES or other.word not in _SEARCHES)
        ):
            return Understood(why=f"`{other.word}` needs to know {other.missing}.", nearest=nearest)
        if not other.missing and not other.wrong and other.score > best.score - MARGIN:
            return Understood(
                why=f"This may mean `{best.word}` or `{other.word}`; say it with other words.",
                nearest=(best.word, other.word),
            )
    return Understood(best.word, best.slots, unknown=best.unknown, score=best.score)


def candidates(sentence: Said) -> list[Candidate]:
    """Every call that is thought of, the best first."""
    found = []
    for word, cues in CUES.items():
        if word not in BY_WORD:
            continue
        lexical = _lexical(word, sentence.text)
        if (
            max(
                lexical,
                sum(weight for weight, cue in cues if weight > 0 and pattern(cue).search(sentence.text)) - 2,
            )
            >= LEAST
        ):
            found.append(_candidate(word, sentence, lexical))
    return sorted(found, key=lambda one: (-one.score, one.word))


def _lexical(word: str, text: str) -> float:
    return sum(weight for weight, cue in CUES[word] if pattern(cue).search(text))


def _candidate(word: str, sentence: Said, score: float) -> Candidate:
    try:
        slots, left = filled(word, sentence)
        read(word, slots)
    except Missing as error:
        return Candidate(word, score, missing=str(error))
    except InvalidArgument as error:
        return Candidate(word, score, wrong=str(error))
    text = sentence.text
    for value in slots.values():  # what a question is about says nothing of what is to be done with it
        if isinstance(value, str) and " " in value.strip() and value in text and not _JOINED.search(value):
            text = text.replace(value, FREE)
    score = _lexical(word, text)
    wrong, unknown = _left(word, left, slots)
    if unknown and _first_unknown(word, left):
        score -= _FIRST
    score += min(1.5, 0.5 * len(sentence.things))  # all of them have found their place
    return Candidate(word, score - UNKNOWN * unknown, slots, unknown, wrong)


def _left(word: str, reading: Reading, slots: Slots) -> tuple[str, int]:
    """Why what nobody took speaks against a call, and how many words of it are not explained."""
    left = reading.left()
    used = {slots_ for value in slots.values() for slots_ in (value if isinstance(value, list) else [value])}
    outside = [
        slots[name] for name in ("PROMPT", "A", "B", "matching") if _OUTSIDE.search(str(slots.get(name, "")))
    ]
    if outside and not any(thing.kind in "qp" and thing.value in outside for thing in reading.things):
        return "That is nothing that files here answer.", 0
    marks = [mark for mark in MARK.findall(left) if reading.value(mark) not in used]
    if marks:
        shown = ", ".join(reading.thing(mark).raw.strip()[:40] for mark in marks[:3])
        return f"`{word}` has no use for {shown}.", 0
    if denied(word, left):
        return "It says what is not to be done.", 0
    if word in _CHANGING:
        if _ASKS.match(reading.whole) or _HE.match(reading.whole) and reading.asked:
            return f"This asks something, and `{word}` answers nothing.", 0
        part = re.search(r"([^\W\d_][\w'-]*) of \ue000[fpd]", reading.whole)
        if (
            part
            and part[1].lower() in set(reading.words())
            and part[1].lower() not in vocabulary(word) | COMMON
        ):
            return f"`{word}` is about a file, and nothing of it.", 0
        if _BUT.search(reading.whole):
            return f"`{word}` knows no exceptions.", 0
        if (
            word != "translate"
            and not any(thing.kind == "q" for thing in reading.things)
            and _PARTS.search(reading.whole)
        ):
            return f"`{word}` is about all of a file.", 0
    known, allowed = vocabulary(word), ALLOWED.get(word, frozenset())
    remaining = set(reading.words())
    for match in (*DENIALS.finditer(left), *CONDITIONS.finditer(left)):
        if match[0].lower() not in allowed:
            return f"`{match[0]}` is more than `{word}` understands.", 0
    hour = _HOUR.search(left)
    if hour is not None:
        return f"`{hour[0]}` is more than `{word}` understands: it is done at once, or not at all.", 0
    for match in re.finditer("([^\\W\\d_][\\w'-]*)\\s\ue000f", reading.whole):
        one = match[1].lower()
        if (
            match.start()
            and one not in _FORMATS
            and one in remaining
            and one not in known
            and one not in COMMON
            and one not in allowed
            and (not one.endswith("ly") or one in _HOW)
        ):
            return f"Where `{match[1]}` belongs to a name, the name stands in quotation marks.", 0
    if re.search(
        r"\b(?:and|then)\s(?:then\s)?(?:run|execute|send|mail|print|open|ask)\s(?:it|them)\b",
        left,
        re.IGNORECASE,
    ):
        return "It asks for two things; say one of them.", 0
    verb = another(word, reading.text)
    if verb:
        return f"`{verb}` is not what `{word}` does; ask for one thing.", 0
    unknown: list[str] = []
    for one in reading.words():
        one = one.strip("'-").removesuffix("'s")
        if (
            not one
            or one in known
            or one in COMMON
            or one.endswith("ly")
            and one not in _HOW
            and one not in IMPOSSIBLE
            or one in HEADS
            and not unknown
            and left.lower().startswith(one)
        ):
            continue
        if one in IMPOSSIBLE or one in ACTIONS and not beside(word, one):
            return f"`{one}` is not what `{word}` does.", 0
        unknown.append(one)
    if len(unknown) > MOST_UNKNOWN:
        return f"It has words that say nothing to `{word}`: {', '.join(unknown[:5])}.", len(unknown)
    return "", len(unknown)


def _refused(sentence: Said) -> str:
    text = sentence.text
    if re.search("\\b(?:minus|negative)\\s\ue000[nlbv]", text, re.I):
        return "A number or a duration is not below nothing."
    if _QUESTION.match(text) and not re.match(
        r"(?:how (?:far|is|much|many|did|does|has|have)|(?:is|are|has|have|did) (?:the |we (?:done|indexed|fully)|everything|all|any|lsfs (?:still|done))|are you done|is lsfs (?:still|ready|done|up|running|busy|finished|idle|ok|alive))",
        text,
        re.I,
    ):
        return "This asks how something is done; see `lsfs --help` and the manual. Say what is to be done."
    quoted = [thing.value.casefold() for thing in sentence.things if thing.kind in "qp"]
    if _OF_A_COMMAND.search(text) and any(_COMMAND.match(one) for one in quoted):
        return "This is about a command. Say what is to be done."
    if re.match(
        r"(?:i'm|i am|we're|we are|i was|i feel) (?:afraid|scared|worried|nervous|unsure|uncertain|not sure|undecided|thinking) (?:of|about|that|whether|if)\b",
        text,
        re.I,
    ):
        return "This tells something, and asks for nothing. Say what is to be done."
    if _IS.fullmatch(text):
        return "This tells something, and asks for nothing. Say what is to be done."
    if _MARKS_ONLY.fullmatch(text) and len(sentence.things) > 1:
        return "This does not say what is to be done."
    if _RETRACTED.search(text) and not re.search(
        r"\b(?:question|query|search)\b.* (?:is|has become) (?:now |long )?(?:obsolete|outdated|answered|settled|useless|no longer needed)[^,;.]*[,;.:–—-]\s*(?:so |please )*forget (?:it|that)$",
        text,
        re.I,
    ):
        return "This takes back what it asks for; nothing is done."
    if _TOLD.match(text) and not re.search(
        r"[,;:.!?—] ?\S|\bplease\b|\bso\b|\b(?:back|undelete|restore|recover|undo|rollback|roll back|rescue|no longer|done with)\b",
        text,
        re.I,
    ):
        return "This tells something, and asks for nothing. Say what is to be done."
    if re.match(
        r"^(?:don't|do not|never|dont|no,|nobody asked|please don't|stop(?! (?:keeping|remembering|saving|sharing|locking|protecting|guarding|freezing|blocking|preventing|write-protecting|anyone|anybody|everyone|all|any|others|people|other))|refrain|avoid|no (?!one|version|trace|longer|copy|edits|changes|writes|need|more))\b(?! (?:let|allow|permit|need|keep|remember|want|require|lose)\b)",
        text,
        re.I,
    ):
        return "This says what is not to be done; nothing is."
    return unasked(text)


def _why(ranked: list[Candidate], good: list[Candidate]) -> str:
    first = ranked[0] if ranked else None
    if first is not None and first.missing and first.score >= ENOUGH:
        return f"`{first.word}` needs to know {first.missing}."
    if first is not None and first.wrong and first.score >= ENOUGH:
        return first.wrong
    if good:
        return "This is not understood well enough to be done."
    return "This is nothing that lsfs does, or it is said in words that it does not know."


def _same(one: Candidate, other: Candidate) -> bool:
    return one.word == other.word and one.slots == other.slots
