"""fillers: what people say around a wish: how they begin (`would it be possible to`), why they want it, and that they are grateful.

    stripped("I was wondering if you could lock F")       lock F
    simpler("lock F, I need it for my report")            lock F

Only words without a thing in them are taken away (a thing is a mark of `masks`), and none with a denial or a condition.
"""

import functools
import re
from collections.abc import Iterator

from syscalls.asking.patterns import forms
from syscalls.asking.words import ACTIONS, COMMON, CONDITIONS, DENIALS, IMPERATIVES, IMPOSSIBLE, vocabulary

_WHO = r"(?:you|we|i|u|somebody|someone|anyone|lsfs|the\s(?:system|file\s?system|agent|assistant|computer|machine|daemon))"
_DO = r"(?:could|can|would|will|might|may)"
_POLITE = r"(?:\s(?:please|kindly|just|perhaps|maybe|possibly|quickly|also|now|then|at\sonce))*"
_LEADS = (
    # marks of a list, of a role, of a task
    r"(?:[-*>\#•–—]+|\(?\d{1,2}[.)]|\[[\w\s-]{1,20}\]|@\w+[,:]?|[✅☑✔➡→👉📌🔧]+|\[[ x]\])\s*",
    r"(?:the\s|your\s|my\s|our\s|new\s|next\s|current\s|first\s|action\s|agent\s|user\s|system\s|file\s?system\s|sub-?)*"
    r"(?:task|todo|to-do|user|human|request|requests|instruction|instructions|prompt|command|goal|query|question|action|step|ask|input|agent|objective|aim|"
    r"assignment|job|order|favou?r|mission|intent|message|required|requested|needed|operation|subtask|call|up|work\sitem|ticket|issue)(?:\s(?:\d+|one|two|three))?\s*[:—–-]+\s+(?=\S)",
    # greetings and sounds
    r"(?:hey|hi|hello|ok|okay|yo|dear|good\s(?:morning|evening|afternoon|day)|greetings)\b(?:\s(?:there|lsfs|all|assistant|computer|system|bot|everyone|team|file\s?system|agent|again|friend|you))*\s*[,!.:;-]*\s+",
    r"(?:lsfs|assistant|computer|system|bot|agent|file\s?system)\s*[,:!]\s*",
    r"(?:first\sof\sall|first\sup|first\sthing|so|now|then|next|first|second|third|finally|lastly|well|alright|all\sright|right|also|again|great|fine|sorry|thanks|thank\syou|quick\sone|quick\srequest|quickly|quick|actually|hmm+|um+|uh+|uhm|ah|oh|oops|"
    r"anyway|afterwards|okay|ok|first\sof\sall|to\s(?:begin|start)\swith|for\sstarters|as\s(?:a|the|your)\s(?:next|first|second|last|final)\s(?:step|thing|task|action)|one\smore\sthing|last\sthing|in\saddition|"
    r"additionally|furthermore|by\sthe\sway|btw|meanwhile|in\sthe\smeantime|as\sdiscussed|as\sagreed|excuse\sme|pardon|fyi)\b\s*[,:;.!…—–-]*\s+(?!\S*\s*$)",
    r"(?:listen|look|please\snote|attention|urgent|important|reminder|note)\s*[,:;.!…—–-]+\s+(?!\S*\s*$)",
    r"(?:please|pls|plz|kindly|just|simply|maybe|perhaps|possibly)\b\s*[,:;!]?\s+",
    # wishes
    rf"{_DO}\s{_WHO}\b(?:\s(?:please|kindly|just|perhaps|maybe|possibly|quickly|also|all|go\sahead\sand|be\sso\s(?:kind|good)\s(?:as\s|and\s)?(?:to\s)?|be\sable\sto|help\sme(?:\sto|\sout\sand)?|try\sto))*\s*,?\s+(?!mind\b|like\b)",
    r"(?:would|do)\syou\smind\s+",
    r"(?:would|is|might)\sit\sbe\spossible\s(?:for\s\w+\s)?to\s|is\sit\spossible\s(?:for\s\w+\s)?to\s(?=.*\ue000)|would\sit\sbe\s(?:ok|okay|alright|possible|fine)\s(?:if\syou|to|for\syou\sto)\s(?:could\s)?",
    r"(?:is\sthere\s)?(?:any|a)\s(?:chance|way|possibility)\s(?:that\s|of\s)?(?:you|we|i|lsfs)?\s?(?:could|can|might|would|to)?\s(?=\w)",
    rf"(?:i\s(?:was\s|am\s)?wonder(?:ing|ed)?|i[’']m\swondering|i[’']d\slike\sto\s(?:ask|know))\s(?:if|whether)\s{_WHO}\s{_DO}{_POLITE}\s",
    rf"(?:i|we)(?:[’']d|\swould)\s(?:really\s|very\smuch\s|much\s)?(?:appreciate|be\s(?:glad|grateful|thankful|happy|delighted|obliged))(?:\sit)?\s(?:if|that)\s{_WHO}(?:\s{_DO})?{_POLITE}\s",
    rf"(?:it|that)\s(?:would|[’']d|will)\sbe\s(?:nice|great|good|lovely|helpful|useful|wonderful|fantastic|awesome|best|cool|kind)\s(?:if|to)\s(?:{_WHO}\s)?(?:{_DO}\s)?",
    r"(?:i|we)(?:[’']d|\swould)\s(?:rather|prefer)(?:\sthat)?\s(?:you|we)\s",
    r"(?:(?:i|we)(?:[’']d|\swould))\s(?:really\s|just\s|very\smuch\s|also\s)?(?:like|love|prefer)\s(?:for\s)?(?:you\s|us\s|lsfs\s|it\sif\syou\s)?(?:to\s|could\s)(?=\w)",
    r"(?:i|we)\s(?:just\s|really\s|only\s|now\s|also\s|currently\s|would\s)*(?:want|need|wish|have|like|ask|request|tell|order|beg|expect|must|require|intend|plan|am\sgoing)\s(?:for\s)?(?:you\s|us\s|lsfs\s)?to\s(?=\w)",
    r"(?:i|we)\s(?:must|should|shall|ought\sto|[’']ll|will)\s(?:now\s|also\s)?(?=\w)",
    r"(?:i[’']m|i\sam|we[’']re|we\sare)\s(?:asking|begging|telling|requesting)\s(?:you\s)?to\s",
    r"(?:i[’']m|i\sam|we[’']re|we\sare)\s(?:after|looking\sfor|searching\sfor|interested\sin|in\ssearch\sof)\s(?=\S)",
    r"(?:i[’']m|i\sam|we[’']re|we\sare)\s(?:trying|hoping|looking|about|going)\sto\s(?=\w)",
    r"(?:i|we)\s(?:think|believe|suggest|propose|recommend|guess|feel|say)\s(?:that\s)?(?:we|you|it\sis\stime)?\s?(?:should\s|could\s|ought\sto\s|had\sbetter\s|to\s)",
    r"(?:ask|request)\syou\sto\s",
    r"may\s(?:i|we)\s(?:ask|request)\s(?:you\s)?(?:to\s|for\s)",
    r"(?:what|all)\s(?:i|we)\s(?:want|need|would\slike|ask|wish|want\syou\sto\sdo|need\syou\sto\sdo)\s(?:is|now\sis)\s(?:for\s)?(?:you\s)?(?:to\s)?",
    r"(?:it[’']?s|it\sis)\s(?:high\s|about\s)?time\s(?:to|you)\s",
    r"(?:the|your|our|my|his|her)\s(?:goal|task|job|objective|aim|plan|idea|request|wish|assignment|next\sstep|first\sstep|next\sthing|intention|user|client|boss)\s(?:is|was|here\sis|wants|asked|asks|needs|would\slike|wishes|wanted)\s(?:(?:you|me|us|that\syou|for\syou)\s)?(?:to\s|that\syou\s|:\s*)?(?=\w)",
    r"(?:the\s)?user\s(?:wants|asked|asks|needs|would\slike|wishes|wanted|requests|requested)\s(?:(?:you|me|us)\s)?(?:to\s|that\syou\s)?(?=\w)",
    rf"{_WHO}\s(?:should|must|may|shall|ought\sto|needs?\sto|ha(?:s|ve)\sto|are\sto|is\sto|can|could|will|[’']ll|had\sbetter)(?:\snow|\salso|\splease|\sjust)*\s(?=\w)",
    r"why\s(?:don[’']?t|not|doesn[’']?t)\s(?:you\s|we\s|lsfs\s)?(?=\w)",
    r"(?:how|what)\sabout\s(?:you\s)?(?=\w+ing\b|you\b)",
    r"(?:go\sahead\sand|go\sand|be\sso\s(?:kind|good|nice)\s(?:as\sto|and)|be\sa\s(?:dear|darling|sweetheart|pal|star)\sand|make\ssure\sto|be\ssure\sto|help\sme(?:\sto|\sout\sand)?|let[’']?s|let\sus|time\sto|feel\sfree\sto|try\s(?:to|and)|"
    r"proceed\sto|don[’']?t\sforget\sto|remember\sto|see\sto\sit\sthat\syou|begin\sby|start\sby|(?:begin|start)\s(?=\w+ing\b)|(?:do|would\syou\sdo|can\syou\sdo)\sme\s(?:a|the)\sfavou?r(?:\sand|\sof)?[,:]?|have\slsfs|let\slsfs|make\slsfs|get\slsfs\sto|tell\slsfs\sto|ask\slsfs\sto)\s+",
    # conditions that are only polite
    r"(?:if|when|whenever|once|as\ssoon\sas)\s(?:you|it|that|there)(?:[’']?s|[’']re|\sare|\sis|\scan|\scould|\sdon[’']?t|\shave|\sget|\sfind|\swould|\shas)?\s?(?:ok|okay|fine|possible|alright|ready|mind|not\stoo\smuch\strouble|a\s(?:chance|moment|minute|second|sec)|the\s(?:chance|time)|time|free|some\stime|so\skind|please|able)?(?:\swith\syou)?,\s*",
    r"(?:if\spossible|if\sat\sall\spossible|if\sneeded|if\snecessary),?\s+",
)
_LEAD = re.compile("^(?:" + "|".join(_LEADS) + ")", re.IGNORECASE)
_TAIL = re.compile(
    r"""(?:
      \s*[,;.!–—-]*\s*\b(?:please|pls|plz|(?:many\s|much\s)?thanks(?:\sa\s(?:lot|million|bunch|ton)|\sin\sadvance|\sso\smuch|\svery\smuch|\sfor\s(?:your|the)\shelp)*|(?:many\s)?thank\syou(?:\svery\smuch|\sso\smuch|\sin\sadvance|\sfor\s(?:your|the)\shelp)*|thx|ty|tia|ta|cheers|kindly
        |for\s(?:me|us)(?:\s(?:please|now|today))?|right\s(?:now|away)|asap|as\ssoon\sas\s(?:possible|you\scan)|as\squickly\sas\spossible|now|immediately|at\sonce|straight\saway|quickly
        |(?:if|when(?:ever)?)\s(?:you\s(?:can|could|don[’']?t\smind|please|would|have\s(?:a\s(?:moment|minute|second)|time)|get\sa\schance|like|wish)|possible|that[’']?s\s(?:ok|okay|fine|alright|possible)|it[’']?s\s(?:ok|okay|possible|not\stoo\smuch\strouble)|needed|necessary)
        |will\syou|would\syou|could\syou|can\syou|won[’']?t\syou|ok|okay|alright|right|today|dear|mate|buddy|sir|man|dude|lol|i\swould\sappreciate\s(?:it|that)|much\sappreciated|appreciated|no\srush|no\shurry|and\sthat[’']?s\s(?:it|all)|that[’']?s\s(?:it|all)|that\s(?:is|will\sbe|would\sbe)\sall)\b\)?
    | \s*\((?:no\srush|no\shurry|please|thanks|urgent|important|asap|if\spossible)\)
    | \s*(?:[.!?…;:,]+|[-–—]+|:-?\)|;-?\)|:-?D|\^\^|🙏|👍|😊|🙂|❤️?|🎉|[\U0001F300-\U0001FAFF])
    )\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_SINCE = re.compile(
    r"^(?:since|as|because|now\sthat|given\sthat|seeing\s(?:as|that)|considering\sthat|in\sorder\sto|for|due\sto|after|with|following|before|to)\s[^,;.:\ue000]{3,120}[,;:]\s+",
    re.IGNORECASE,
)
_SO = re.compile(
    r"^[^,;.:!?\ue000]{3,120}[,;.!?:–—-]+\s+(?:(?:so|therefore|thus|hence|and\sso|that[’']?s\swhy|which\sis\swhy)\s)?(?=\S)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:\s*[,;.!–—-]+\s+|\s+(?=so\sthat\s|because\s|as\si\s|since\s(?:i|we|it|the)\s|for\s(?:my|our|the)\s\w+$|in\sorder\sto\s))(?:(?:and|but|so|because|since|as)\s)?[^.;!?\ue000]{2,140}$",
    re.IGNORECASE,
)


_ELSE = re.compile(r"\s*[,;.–—-]*\s*(?:and\s)?nothing\s(?:else|more)$", re.IGNORECASE)


def stripped(text: str) -> tuple[str, bool]:
    """A sentence without how it begins and ends out of politeness, and whether it ended with a question mark."""
    asked = False
    while True:
        before = text
        text = _LEAD.sub("", text, count=1).lstrip(" ,")
        tail = _TAIL.search(text)
        if tail and tail.start():
            asked = asked or "?" in tail[0]
            text = text[: tail.start()]
        if text == before:
            return text, asked


def simpler(text: str) -> Iterator[str]:
    """The same sentence without a clause that says why, or something else that no call is about; less and less of it."""
    seen = {text}
    waiting = [text]
    while waiting and len(seen) < 12:
        whole = waiting.pop(0)
        for cut in (_ELSE, _AFTER, _SINCE, _SO):
            match = cut.search(whole)
            if match is None or (cut is not _ELSE and not _harmless(match[0])):
                continue
            rest, _ = stripped((whole[: match.start()] + whole[match.end() :]).strip())
            if rest and ("\ue000" in rest or "\ue000" not in text) and rest not in seen:
                seen.add(rest)
                waiting.append(rest)
                yield rest


def _harmless(clause: str) -> bool:
    """Whether a clause asks for nothing, denies nothing and makes no condition."""
    words = re.findall(r"[a-z'-]+", clause.lower())
    lead = re.sub(
        r"^(?:since|as|because|now that|after|before|with|following)\b",
        "",
        clause.strip(" ,;.:!-–—"),
        flags=re.I,
    )
    if DENIALS.search(lead) or CONDITIONS.search(lead):
        return False
    return (
        not any(word in IMPERATIVES or word in IMPOSSIBLE for word in words)
        and re.search(
            r"\b(?:only|but|not|except|llm|model|links?|place|format|sentences?|group|by|into|as (?:html|docx|txt|md)|says?|said|wrote|writes?|written|told|tells|heard|book|manual|tutorial|letter|quoted?|sentence|joke|story|example|typed?|commands?|button)\b",
            clause,
            re.I,
        )
        is None
    )


_NOUNS = ("snapshot", "version", "versions", "index", "question", "query", "summary", "history", "trash", "folder", "file", "files", "content", "contents", "link", "group", "rollback", "status", "changes",
          "timestamp", "previous", "permanently", "deleted", "containing", "keyword", "sentences", "about", "between", "differences", "everything", "until", "called", "named", "format", "results", "update", "print", "start", "inside", "exact", "union", "blank", "empty", "phrase", "revision", "sentence", "document", "documents", "append", "both", "either")  # fmt: skip


@functools.cache
def _spelled() -> frozenset[str]:
    return frozenset(
        (
            *ACTIONS,
            *_NOUNS,
            *(
                form
                for verb in (
                    "create",
                    "make",
                    "add",
                    "copy",
                    "change",
                    "restore",
                    "write",
                    "show",
                    "take",
                    "search",
                    "export",
                    "notify",
                    "rename",
                )
                for form in forms(verb)
            ),
        )
    )


@functools.cache
def _known() -> frozenset[str]:
    from syscalls.asking.lexicon import CUES

    return frozenset(COMMON | _spelled() | frozenset().union(*(vocabulary(word) for word in CUES)))


def respelled(text: str) -> str:
    """The same sentence with words that one slip of a finger away are one that is known, as that: `delte F` is `delete F`."""

    def right(match: re.Match[str]) -> str:
        word = match[0].lower()
        if word in _known():
            return match[0]
        near = {one for one in _spelled() if abs(len(one) - len(word)) <= 1 and _slip(word, one)}
        return near.pop() if len(near) == 1 else match[0]

    return re.sub(r"(?<![\w'-])[A-Za-z]{5,}(?![\w'-])", right, text)


def _slip(word: str, right: str) -> bool:
    """Whether one letter too many, too few or another, or two that changed places, makes `word` of `right`."""
    at = next(
        (n for n, (one, other) in enumerate(zip(word, right, strict=False)) if one != other),
        min(len(word), len(right)),
    )
    rest, wanted = word[at:], right[at:]
    return (
        rest[1:] == wanted
        or rest == wanted[1:]
        or rest[1:] == wanted[1:]
        or rest[2:] == wanted[2:]
        and rest[:2] == wanted[1::-1]
    )
