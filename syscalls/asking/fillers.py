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
    r"don[’']?t\s(?:overwrite|change|replace|touch|delete|remove|lose|alter)\s(?:anything|the\srest|what(?:[’']s|\sis)\s(?:already\s)?there|the\s(?:existing|old|current)\s\w+)[^,;.:\ue000]{0,30}[,;.:—–-]+\s+(?:but\s|just\s|only\s|please\s)*(?=\w)",
    r"(?:listen|look|please\snote|attention|urgent|important|reminder|note)\s*[,:;.!…—–-]+\s+(?!\S*\s*$)",
    r"(?:please|pls|plz|kindly|just|simply|maybe|perhaps|possibly)\b\s*[,:;!]?\s+",
    # wishes
    rf"{_DO}\s{_WHO}\b(?:\s(?:please|kindly|just|perhaps|maybe|possibly|quickly|also|all|go\sahead\sand|be\sso\s(?:kind|good)\s(?:as\s|and\s)?(?:to\s)?|be\sable\sto|help\sme(?:\sto|\sout\sand)?|try\sto))*\s*,?\s+(?!mind\b|like\b)",
    r"(?:would|do)\syou\smind\s+",
    r"(?:would|is|might)\sit\sbe\spossible\s(?:for\s\w+\s)?to\s|is\sit\spossible\s(?:for\s\w+\s)?to\s(?=.*\ue000)|would\sit\sbe\s(?:ok|okay|alright|possible|fine)\s(?:if\syou|to|for\syou\sto)\s(?:could\s)?",
    r"(?:is\sthere\s)?(?:any|a)\s(?:chance|way|possibility)\s(?:that\s|of\s)?(?:you|we|i|lsfs)?\s?(?:could|can|might|would|to)?\s(?=\w)",
    rf"(?:i\s(?:was\s|am\s)?wonder(?:ing|ed)?|i[’']m\swondering|i[’']d\slike\sto\s(?:ask|know))\s(?:if|whether)\s{_WHO}\s{_DO}{_POLITE}\s",
    rf"(?:i|we)(?:[’']d|\swould)\s(?:really\s|very\smuch\s|much\s)?(?:appreciate|be\s(?:glad|grateful|thankful|happy|delighted|obliged))(?:\sit)?\s(?:if|that)\s{_WHO}(?:\s{_DO})?{_POLITE}\s",
    rf"(?:it|that|this)(?:\swould|[’']d|\swill)\s(?:really\s)?be\s(?:very\s|really\s|so\s|most\s)?(?:nice|great|good|lovely|helpful|useful|wonderful|fantastic|awesome|best|cool|kind)\s(?:if|to)\s(?:{_WHO}\s)?(?:{_DO}\s)?",
    r"(?:i|we)(?:[’']d|\swould)\s(?:really\s|very\smuch\s|much\s)?(?:appreciate|like|love|welcome|be\s(?:so\s|very\s|most\s)?(?:glad|grateful|thankful|happy|delighted|obliged|pleased))(?:\sit)?\sif\s(?=[^,]*\ue000)",
    r"(?:i|we)(?:[’']d|\swould)\s(?:rather|prefer)(?:\sthat)?\s(?:you|we)\s",
    r"(?:(?:i|we)(?:[’']d|\swould))\s(?:really\s|just\s|very\smuch\s|also\s)?(?:like|love|prefer)\s(?:for\s)?(?:you\s|us\s|lsfs\s|it\sif\syou\s)?(?:to\s|could\s)(?=\w)",
    r"(?:i|we)\s(?:just\s|really\s|only\s|now\s|also\s|currently\s|would\s)*(?:want|need|wish|have|like|ask|request|tell|order|beg|expect|must|require|intend|plan|am\sgoing)\s(?:for\s)?(?:you\s|us\s|lsfs\s)?to\s(?=\w)",
    r"(?:i|we)\s(?:must|should|shall|ought\sto|[’']ll|will)\s(?:now\s|also\s)?(?=\w)",
    r"(?:i[’']m|i\sam|we[’']re|we\sare)\s(?:asking|begging|telling|requesting)\s(?:you\s)?to\s",
    r"(?:i[’']m|i\sam|we[’']re|we\sare)\s(?:after|looking\sfor|searching\sfor|interested\sin|in\ssearch\sof)\s(?=\S)",
    r"(?:i[’']m|i\sam|we[’']re|we\sare)\s(?:trying|hoping|looking|going)\sto\s(?=\w)",
    r"(?:i|we)\s(?:think|believe|suggest|propose|recommend|guess|feel|say)\s(?:that\s)?(?:we|you|it\sis\stime)?\s?(?:should\s|could\s|ought\sto\s|had\sbetter\s|to\s)",
    r"(?:ask|request)\syou\sto\s",
    r"i(?:\swonder|'m\swondering|\sam\swondering)\s(?=(?:what\s(?:happened|changed|has|was)|which\s|who\s))",
    r"(?:see|check|find\sout|look|tell\sme)\s(?:if|whether)\s(?=(?:there\s(?:is|are)|we\shave|i\shave)\s(?:any\s)?(?:files?|documents?|notes?|papers?|anything|something|stuff)\b)",
    r"may\s(?:i|we)\s(?:ask|request)\s(?:you\s)?(?:to\s|for\s)",
    r"(?:what|all)\s(?:i|we)\s(?:want|need|would\slike|ask|wish|want\syou\sto\sdo|need\syou\sto\sdo)\s(?:is|now\sis)\s(?:for\s)?(?:you\s)?(?:to\s)?",
    r"(?:it[’']?s|it\sis)\s(?:high\s|about\s)?time\s(?:to|you)\s",
    r"(?:the|your|our|my|his|her)\s(?:goal|task|job|objective|aim|plan|idea|request|wish|assignment|next\sstep|first\sstep|next\sthing|intention)\s(?:is|was|here\sis|wants|asked|asks|needs|would\slike|wishes|wanted)\s(?:(?:you|me|us|that\syou|for\syou)\s)?(?:to\s|that\syou\s|:\s*)?(?=\w)",
    r"(?:(?:the|our|my)\s)?(?:user|client|boss|customer)\s(?:wants|asked|asks|needs|would\slike|wishes|wanted|requests|requested)\s(?:(?:you|me|us)\s)?(?:to\s|that\syou\s)?(?=\w)",
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
LONGEST_TAIL = 200  # characters of what is said last: a search that begins at each of thousands takes seconds
_SINCE = re.compile(
    r"^(?:since|as|because|now\sthat|given\sthat|seeing\s(?:as|that)|considering\sthat|in\sorder\sto|for|due\sto|after|with|following|before|to)\s(?:[^,;.:\ue000]|\ue000[rnlt].){3,120}[,;:]\s+",
    re.IGNORECASE,
)
_SO = re.compile(
    r"^(?:[^,;.:!?\ue000]{3,120}|(?:(?:the|i|we|my|our|somebody|someone|people|they|he|she|it|there|this|that|today|tomorrow|[a-z]+\s[a-z]+s)\b|\ue000r.)(?:[^,;.:!?\ue000]|\ue000[rnlt].){3,120})[,;.!?:–—-]+\s+(?:(?:and\s)?(?:so|therefore|thus|hence|that[’']?s\swhy|which\sis\swhy)[,:]?\s)?(?=\S)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:\s*[,;.!–—-]+\s+|\s+(?=so\sthat\s|because\s|as\si\s|since\s(?:i|we|it|the)\s|for\s(?:my|our|the)\s\w+$|in\sorder\sto\s|before\s(?:i|we|they|he|she|my|our|the|somebody|someone|anyone|it)\s|while\s(?:i|we|you)[’']?(?:'re|'m|\sare|\sam)\sat\sit))(?:(?:and|but|so|because|since|as)\s)?[^.;!?\ue000]{2,140}$",
    re.IGNORECASE,
)


_ELSE = re.compile(r"\s*[,;.–—-]*\s*(?:and\s)?nothing\s(?:else|more)$", re.IGNORECASE)


def stripped(text: str) -> tuple[str, bool]:
    """A sentence without how it begins and ends out of politeness, and whether it ended with a question mark."""
    asked = False
    while True:
        before = text
        text = _LEAD.sub("", text, count=1).lstrip(" ,")
        tail = _TAIL.search(text, max(0, len(text) - LONGEST_TAIL))
        if (
            tail
            and tail.start()
            and not (
                "at once" in tail[0]
                and re.search(r"\b(?:about|on|concerning|cover|discuss)\b.*\band\b", text)
            )
        ):
            asked = asked or "?" in tail[0]
            text = text[: tail.start()]
        if text == before:
            return text, asked


_SUBJECT = (
    r"(?:(?:the|my|our|your|his|her|their|its|this|that|these|those|some|most|all|there|it|we|i|he|she|they|somebody|someone|everybody|everyone|people|nobody|no\sone|one|two|another|every|each|both|"
    r"search\sresults?|search\s(?:is|was|gives|finds|returns|shows)|it's|that's|there's|i'm|we're|they're|he's|she's|i've|we've|they've|who)\b|(?!(?:{}|make|take|put|roll|let|give|write|copy|move|add|set|turn|bring|stop|do|cut|throw|forget|start)\b)(?-i:[A-Z][\w'-]*)(?:\sand\s(?-i:[A-Z][\w'-]*))?(?=\s(?:[a-z]+s|[a-z]+ed|was|will|can|just|has|had|told|sent|made|found|lost|[a-z]+ly)\b))"
).format("|".join(sorted(IMPERATIVES)))
_CAUSE = re.compile(  # `The printer wants one document, so`: what a clause says that is told, and has a consequence
    rf"^{_SUBJECT}(?:[^;:!?\ue000]|\ue000[rnlt].){{2,140}}?[,;.–—-]+\s+(?:and\s)?(?:so|therefore|thus|hence|that's\swhy)\s(?:please\s|could\syou\s|can\syou\s)?(?=\w)",
    re.IGNORECASE,
)
_THING = "(\ue000[fpd][\ue100-\ue8ff])"
_ABOUT = re.compile(  # `F is done: lock it`
    rf"^(?P<clause>[^\ue000;:!?]{{0,60}}{_THING}(?:[^\ue000;:!?]|\ue000[rnlt].){{0,80}}?)\s?[,;.:–—-]+\s+(?:(?:and|so|therefore|then|hence|please)\s)*(?P<rest>[^\ue000]*\b(?:it|this|that|this\sfile|that\sfile|the\sfile|this\sone|the\sfolder|that\sfolder|this\sfolder|its)\b.*)$|^(?P<clause2>[^\ue000;:!?]{0, 60}(\ue000[fpd][\ue100-\ue8ff])[^\ue000;:!?]{0, 80}?)\s?[,;.:–—-]+\s+(?:(?:and|so|therefore|then|hence|please)\s)*(?P<short>(?:[a-z']+\s){0, 4}[a-z]+)$",
    re.IGNORECASE,
)
_ITS = re.compile(
    r"\b(?:this\sfile|that\sfile|the\sfile|this\sone|the\sfolder|that\sfolder|this\sfolder|it|this|that)\b(?!'s)",
    re.IGNORECASE,
)
_NOUN = r"(?:(?:the|a|an|my|our|its)\s)?(?:[\w-]+\s){0,3}?(?:(?:of|in|on|for)\s)?\ue000[fpd][\ue100-\ue8ff](?:(?:,\s|\sand\s|,\sand\s)(?:the\s)?\ue000[fpd][\ue100-\ue8ff])*"
_DONE = r"(?:[a-z]+(?:ed|en)|put|made|shut|kept|sent|thrown|given|brought|written|hidden|torn|cut|set)"
_PASSIVE = re.compile(  # `F should be locked for L`, `I would like F locked`, `have F locked`: locked F for L
    rf"^(?:(?:i|we)(?:'d|\swould)?\s(?:like|want|need|wish|prefer)\s(?:to\s(?:have|see)\s)?|(?:please\s)?(?:have|get|see|let)\s|let's\s(?:have|get)\s|)(?P<noun>{_NOUN})"
    rf"(?P<modal>\s(?:should|must|may|can|could|shall|will|would|needs?|has|have|ought|is|are|was|were)(?:\sto)?(?:\snow|\salso|\splease)*(?:\sbe|\sget)?|\sbe|\sto\sbe|)(?:\snow|\sbeing)?\s(?P<verb>{_DONE})\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_KEYS = {  # of a request written as a form: `file: F; until: T`
    "until": "until", "till": "until", "expires": "until", "expiry": "until", "deadline": "until", "end": "until", "for": "for", "duration": "for", "period": "for", "ttl": "for", "lifetime": "for", "valid": "for", "validity": "for", "timeout": "for", "lasting": "for",
    "to": "to", "format": "to", "target format": "to", "output format": "to", "into": "into", "output": "into", "out": "into", "result": "into", "target": "into", "dest": "into", "destination": "into", "output file": "into", "target file": "into", "new file": "into", "result file": "into", "save as": "into",
    "from": "from", "source": "from", "text": "with the text", "content": "with the text", "contents": "with the text", "body": "with the text", "line": "with the text", "payload": "with the text", "value": "with the text", "new content": "with the text", "new contents": "with the text", "new text": "with the text", "data": "with the text",
    "name": "named", "named": "named", "as": "as", "why": "because", "reason": "because", "note": "because", "comment": "because", "because": "because", "question": "about", "topic": "about", "about": "about", "matching": "about", "query": "about", "subject": "about", "prompt": "about", "by": "by", "group by": "by",
    "at": "at", "time": "at", "date": "at", "timestamp": "at", "mtime": "at", "file": "", "path": "", "files": "", "paths": "", "inputs": "", "input": "", "sources": "", "folder": "", "target path": "", "document": "", "parts": "", "with": "with", "in": "in",
}  # fmt: skip
_KEY = re.compile(
    rf"(?P<before>^|\s*[;,|/.\n]\s*|\s[-–—]+\s|\s|\()(?P<key>{'|'.join(sorted(_KEYS, key=len, reverse=True))})\s?[:=]\s*(?=[\w\ue000])",
    re.IGNORECASE,
)


def _form(text: str) -> str | None:
    """A request that is written like a form, as a sentence: `lock; file: F; until: T` is `lock F until T`."""

    def said(match: re.Match[str]) -> str:
        return f" {_KEYS[match['key'].lower()]} "

    found = re.sub(r"^([a-z]+)\s?[:=]\s*(?=[\w\ue000])", r"\1 ", text, flags=re.I)
    found = _KEY.sub(said, found)
    return " ".join(found.split()) if found != text else None


_ASKED = re.compile(  # `could a new file be created: F`, `files about X should be deleted`
    rf"^(?:(?:could|can|may|might|should|must)\s(?P<noun>[^,;:]{{2,120}}?)|(?P<noun2>[^,;:]{{2,120}}?)\s(?:should|must|can|may|has\sto|have\sto|needs?\sto|ought\sto|is\sto|are\sto)(?:\sall|\snow)?)\sbe\s(?P<verb>{_DONE})\b:?(?P<rest>.*)$",
    re.IGNORECASE,
)


def _active(text: str) -> str | None:
    """`F should be locked` as `locked F`; None where it is nothing like that."""
    asked = _ASKED.match(text)
    if (
        asked is not None
        and not DENIALS.search(text)
        and not re.match(r"(?:who|what|which|how|why)\b", text, re.I)
    ):
        return f"{asked['verb']} {asked['noun'] or asked['noun2']}{asked['rest']}"
    match = _PASSIVE.match(text)
    if match is None or (not match["modal"] and match.start("noun") == 0):
        return None
    if match["modal"].strip() in ("is", "are", "was", "has", "have", "will", "would") and not match.start(
        "noun"
    ):
        return None  # it tells something
    return f"{match['verb']} {match['noun']}{match['rest']}"


def _said_of(text: str) -> str | None:
    """`F is done: lock it` as `lock F`; None where it is nothing like that."""
    match = _ABOUT.match(text)
    if match is None:
        return None
    if match["short"]:
        harmless = _harmless(match["clause2"].replace(match[5], "x"))
        return f"{stripped(match['short'])[0]} {match[5]}" if harmless else None
    if not _harmless(match["clause"].replace(match[2], "x")):
        return None
    its = re.sub(r"\bits\b", f"{match[2]}'s", match["rest"], count=1, flags=re.I)
    part = re.match(
        rf"(?:the|my|our)\s(?:[\w-]+\s){{1,3}}(?:of|on|in|for)\s{match[2]}", match["clause"], re.I
    )
    noun = part[0] if part else match[2]
    return its if its != match["rest"] else _ITS.sub(noun, match["rest"], count=1)


_DOINGS = (
    "take put make write add change list copy bring keep roll set give find throw fetch rank sort collect sum condense reverse cancel check turn store "
    "bookmark drop undo revert return combine save refresh update scrap retrieve rescue record capture remake redo summarise summarize create rebuild "
    "recreate undelete restore recover forget remember search show scan delete remove compare "
)  # fmt: skip
_BASES = {form: verb for verb in _DOINGS.split() for form in forms(verb) if form != verb}
_DONE_TO = re.compile(  # the same of what is no file: `the last edit should be taken back`, `I want a snapshot X taken`
    r"^(?:(?:let\s)?(?P<what>(?!(?:i|we|you|it|that|this|they)\s).{2,300}?)\s(?:(?:should|must|shall|ought\sto|needs?\sto|ha(?:s|ve)\sto|is\sto|are\sto)\s(?:please\s|now\s|also\s)?)?(?:be|needs?)"
    r"|(?:(?:i|we)(?:'d|\swould)?\s(?:want|need|like|wish)\s(?:to\s(?:have|see|get)\s)?|have\s|get\s|see\s)(?P<other>.{2,300}?)(?:\sbe)?)\s(?P<verb>[a-z]+)(?P<rest>(?:\s.*)?)$",
    re.IGNORECASE,
)


def turned(text: str) -> Iterator[str]:
    """What is to be done, as an order: `the last edit should be taken back` as `take back the last edit`, `listing X` as `list X`."""
    match = _DONE_TO.match(text)
    if match is not None:
        verb, what, rest = match["verb"].lower(), match["what"] or match["other"], match["rest"]
        if verb in _BASES and not verb.endswith(("ing", "s")) and not DENIALS.search(what):
            yield f"{_BASES[verb]} {what}{rest}"
            if re.match(r"\s(?:back|up|down|off|away|out|over)\b", rest):
                yield f"{_BASES[verb]}{rest} {what}"
    match = re.match(r"([a-z]+ing)\s(?=\S)", text, re.IGNORECASE)
    if match is not None and match[1].lower() in _BASES:
        yield f"{_BASES[match[1].lower()]} {text[match.end() :]}"
    aside = re.sub(
        r"\s*\((?:it|i|we|he|she|they|somebody|someone|this|that|which|because|since|as|for)\s(?:[^()\ue000]|\ue000[rnlt].)*\)?$",
        "",
        text,
        flags=re.IGNORECASE,
    )
    if aside != text:
        yield aside


def reasoned(text: str) -> str:
    """The same sentence without the reason that stands before `, so`: that is never what is asked for."""
    match = re.match(r"let\s(.{2,300}?)\sbe\s([a-z]+)(?=\s|$)", text, re.IGNORECASE)
    if match is not None and match[2].lower() in _BASES:
        return f"{_BASES[match[2].lower()]} {match[1]}{text[match.end() :]}"
    match = _CAUSE.match(text)
    return stripped(text[match.end() :])[0] if match is not None and _harmless(match[0], cause=True) else text


def simpler(text: str) -> Iterator[str]:
    """The same sentence without a clause that says why, or something else that no call is about; less and less of it."""
    seen = {text}
    waiting = [text]
    while waiting and len(seen) < 24:
        whole = waiting.pop(0)
        found = [changed for change in (_form, _active, _said_of) if (changed := change(whole)) is not None]
        found += turned(whole)
        for cut in (_ELSE, _CAUSE, _AFTER, _SINCE, _SO):
            match = cut.search(whole)
            if match is None or (cut is not _ELSE and not _harmless(match[0], cut is _CAUSE)):
                continue
            found.append(whole[: match.start()] + whole[match.end() :])
        for one in found:
            rest, _ = stripped(one.strip())
            if rest and ("\ue000" in rest or "\ue000" not in text) and rest not in seen:
                seen.add(rest)
                waiting.append(rest)
                yield rest


_NEEDLESS = re.compile(  # denials that only say why
    r"\b(?:there\s(?:is|isn't|is\snot)|there's|(?:we|i)\s(?:have|still\shave))\s(?:no|not|any)?\s?(?:such\s)?(?:file\s|one\s)?x\b|\bx\s(?:does\snot|doesn't|didn't)\s(?:yet\s)?(?:exist|work|fit|look)\b|\bwhat\s(?:x|it|they|that)\s(?:says?|said)\b"
    r"|\b(?:nobody|no\sone|nothing|none\sof\s(?:us|them))\s(?:else\s)?(?:ever\s|really\s)?(?:needs?|uses?|wants?|reads?|misses|will\smiss|would\smiss|looks?\sat|knows?|cares?|remembers?|understands?)\b"
    r"|\b(?:it's|it\sis|they're|they\sare|that's|that\sis|this\sis|x\sis|x\sare)\s(?:(?:not|no\slonger|never)\s)(?:needed|used|wanted|useful|relevant|current|valid|true|right|correct|finished|ready|done|mine|ours)\b"
    r"|\b(?:i|we|they|he|she)\s(?:don't|do\snot|doesn't|no\slonger|never|didn't)\s(?:need|use|used|read|remember|know|trust|recall|have|like)\b|\b(?:can't|cannot|couldn't)\s(?:find|remember|recall|see|tell|open|locate|read|wait|believe|keep)\b"
    r"|\b(?:doesn't|don't|didn't)\s(?:work|help|matter|fit|open|load|look|have|know|like|make\ssense)\b",
    re.IGNORECASE,
)
_TELLS = re.compile(rf"^(?:(?:so|because|since|as|for|and|but|before)\s)*{_SUBJECT}", re.IGNORECASE)
_WISH = re.compile(
    r"\b(?:you|should|must|please|want|wants|shall|let|may|also|too|then|has\sto|have\sto|had\sto|ought|be\s\w+ed|asked|told|tell|do\sit|don't\s(?:do|want)|need\sto|instead)\b",
    re.IGNORECASE,
)


def _harmless(clause: str, cause: bool = False) -> bool:
    """Whether a clause asks for nothing, denies nothing and makes no condition. cause: what follows from it is said after it."""
    clause = _NEEDLESS.sub(" ", clause)
    tells = _TELLS.match(clause.strip(" ,;.:!-–—")) is not None
    if cause:
        clause = re.sub(
            r"\s(?:and\s)?(?:so|therefore|thus|hence|that's\swhy)\s(?:please\s|could\syou\s|can\syou\s)?$",
            "",
            clause,
            flags=re.I,
        )
        return not re.search(
            r"\b(?:if|unless|until|till|in\scase|provided|depending|otherwise|else|or)\b", clause, re.I
        ) and not re.search(r"\byou\b|\bplease\b|^(?:delete|lock|unlock)\b|\bsaid\b|\bsays\b", clause, re.I)
    words = [] if tells and not _WISH.search(clause) else re.findall(r"[a-z'-]+", clause.lower())
    lead = re.sub(
        r"^(?:(?:and|so|but) )?(?:since|as|because|now that|after|before|with|following)\b",
        "",
        clause.strip(" ,;.:!-–—"),
        flags=re.I,
    )
    if DENIALS.search(lead) or CONDITIONS.search(lead):
        return False
    return (
        not any(word in IMPERATIVES or word in IMPOSSIBLE for word in words)
        and re.search(
            r"\b(?:only|but|not|except|among|amongst|leaving (?:aside|out)|setting aside|excluding|apart from|aside from|ignoring|disregarding|llm|model|links?|place|format|sentences?|group|by|into|as (?:html|docx|txt|md)|says?|said|wrote|writes?|written|told|tells|heard|book|manual|tutorial|letter|quoted?|sentence|joke|story|example|typed?|commands?|button)\b",
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
