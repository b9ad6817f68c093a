"""writing: the slots of create, get, append, replace, delete, touch and translate: one file, and what is to be in it."""

import re

from syscalls.asking.masks import MARK
from syscalls.asking.patterns import CUT
from syscalls.asking.reading import Missing, Reading
from syscalls.asking.saying import ABOUT, BODY, END, NAMED, ON, Slots, counted, text_of


def create(r: Reading) -> Slots:
    folder = r.take(
        r"^(?:<create make add start build establish>|set up|new|(?:i|we) <need want>|(?:i|we)'d like) @(?:(?:brand[ -])?new |fresh |empty |blank |further |extra )*{d}$",
        r"^mkdir (?:-p )?{F}$",
        r"^mkdir (?:-p )?{d}$",
    )
    if folder is not None:
        return {"PATH": r.value(folder[0]).rstrip("/") + "/"}
    r.join()
    within = r.take(
        rf"\b(?:file|document|doc|note) (?:in|inside|under|within|below) (?:my )?(?!(?:the|a|an|my|our|it|here|there|this|that|which|markdown|html|docx|english|german|french|total|general|plain|text|word|question|short|full)\b)([\w-]+),? (?:{NAMED}) @{{F}}"
    )
    if within is not None:
        if "/" in r.value(within[1]):
            raise Missing("one place")
        path = f"{within[0]}/{r.value(within[1])}"
        r.text = f"{r.text} {r.put('f', path, path)}"
    files = len(r.marks("fp"))
    if files > 1 and not r.marks("q"):
        copied = r.take(
            rf"(?:<copy duplicate clone>|cp) {BODY}?@{{F}}(?:,? (?:to|as|into|under|over|in|onto|at|and|giving|named|called|titled|of|by|call|label(?:led|ed)?|naming|calling|tagged|entitled|whose|is|which|be|save|store|saved|it|the|a|an|my|copy|second|brand-new|new|fresh|file|result|create|make|with|name:?))* @{{F}}",
            rf"(?:copy|duplicate|clone) of {BODY}?@{{F}}(?:,? (?:be|created|made|placed|put|written|stored|should|must|shall|to|as|into|under|in|at|and|named|called|titled|of|by|call|label(?:led|ed)?|naming|calling|tagged|entitled|whose|with|name:?|save|store|it|that|the|is|which))* @{{F}}",
            rf"(?:use|take|using|from|with|starting from|out of|based on) {BODY}?@{{F}}(?: as (?:the|a) (?:source|template|basis|starting point))?,?(?: (?:to|and|as|for|make|create|write|start|produce|generate|set|up|a|an|the|new|file|document|copy|source|template|basis))* @{{F}}",
        )
        if copied is not None:
            return {"PATH": r.value(copied[1]), "from": r.value(copied[0])}
        found = None
        copies = r.has(
            r"\b(?:from|cop(?:y|ies|ied|ying)|contents?|contains?|text|like|using|use|based|duplicated?|clone|imports?|importing|out|taken?|with|by|same|identical|fill(?:ed)?|loaded|reading|hold(?:s|ing)?)\b"
        )
        if copies:
            found = r.take(
                rf"{{F}},? (?:(?:and|that|which|it|with|by|as|is|should|to|be|start|made|created|copied|taken|using|containing|contains|holding|having|has|holds|filled|fill|take|get|gets|taking|from|out|of|based|on|copy|a|an|the|duplicate|clone|copying|in|import|importing|same|exact|identical|reading|filling|use|like|its|up|loaded) )*{BODY}?@{{F}}"
            )
        if found:
            return {"PATH": r.value(found[0]), "from": r.value(found[1])}
    r.drop(r",? ?(?:that|which) (?:does not|doesn't|didn't) (?:yet )?exist(?: yet)?,?", r"\bfor now\b")
    empty = r.drop(r"\b(?:empty|blank)\b")
    where = r.path(
        r"(?:new|fresh) @{F}",
        rf"{NAMED} {{F}}",
        r"(?:in|into|as|to|under|at|inside) @(?:brand[ -])?(?:new |fresh )*{F}",
        r"@{F}(?:'s)?",
        folder=False,
    )
    slots: Slots = {"PATH": where}
    empty = empty | r.drop(
        r"(?:completely |totally |perfectly )?\b(?:empty|blank|zero-?byte|0-byte|zero-length)\b",
        r"(?:with )?(?:nothing|no (?:text|contents?|words))(?: in| inside)?(?: it| yet)?",
        r"without (?:any )?(?:text|contents?)",
    )
    text = text_of(r)
    if text is not None and empty:
        raise Missing("whether it is to be empty, or to have that text")
    if text is not None:
        slots["text"] = text
    elif not empty and (
        not r.said(
            r"mkfile|(?:spin|whip|knock|cook|throw) (?:\w+ )?up|\bplaceholder\b|<spawn scaffold bootstrap have add establish> |<create make start generate begin initialise initialize set need want produce open draft build write>|\bnew\b|\bcreat"
        )
        or r.marks("fpqd")
        or r.said(r"^<write add put> (?:to|in|into|on)\b")
        or r.said("^<open>")
        and not r.said(r"\b(?:new|fresh|empty|blank|creat\w*)\b")
        or r.has(r"\b(?:with|containing|saying|from|says|reading|contains?|about|holding)\b")
    ):
        raise Missing("what is to be in it, in quotation marks")
    return slots


def get(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    version = r.take("(?:of |in |at |as of |from )?@{v}(?: of| from)?")
    if version is not None:
        slots["version"] = r.value(version[0])
    return {"PATH": r.path(folder=False)} | slots


def append(r: Reading) -> Slots:
    if r.has(r"(?:beginning|start|top|front|head) of|<prepend>"):
        raise Missing("nothing else: it adds at the end only")
    r.join()
    says = r.take(
        rf"what @{{F}} (?:says|contains|has) (?:(?:to|at|onto|after|in|on) )+(?:{END} (?:of )?)?@{{F}}"
    )
    if says is not None:
        return {"PATH": r.value(says[1]), "from": r.value(says[0])}
    if not r.marks("qp") or (not r.marks("q") and len(r.marks("fp")) == 2):
        found = r.take(
            rf"{BODY}?@{{F}}(?:'s (?:contents?|text))?,? (?:(?:to|onto|at|on|into|after|under|below|behind|as|in|the|very|end|bottom|tail|foot|of|is|be|put|added|appended|should|go|goes|and|it|them|those|all|everything|then|append|stick|attach|write|paste|copy|place|insert|that|tack|add|must|has|have),? )*(?:>>|to|onto|at|on|into|after|under|below|behind|of) @{{F}}"
        )
        if found is not None:
            return {"PATH": r.value(found[1]), "from": r.value(found[0])}
        found = r.take(
            rf"{{F}} (?:(?:with|by|from|using|the|end|add|append|put|attach|stick|tack|copy|there|on|its|is|at|bottom|of|paste|what|comes?|write|also|,) )*{BODY}?@{{F}}(?:'s (?:contents?|text))?"
        )
        if found is not None:
            return {"PATH": r.value(found[0]), "from": r.value(found[1])}
    where = r.path(
        rf"(?:to|onto|at|on|in|into|of|after|under|below) (?:{END} (?:of )?)?@(?:existing )?{{F}}",
        r"@{F}(?:'s)?",
        folder=False,
    )
    text = text_of(r)
    if text is None:
        found = r.take(
            rf"<append add put write> @(?:new |final |last |extra |another )*(?:line|words?|text|sentence|entry|note)s? {{some}}(?= (?:to|at|{END})\b)?(?= *(?:{CUT}|$|to\b|at\b))"
        )
        if found is None:
            found = r.take(rf"^<append add> {{some}}(?= *{CUT})")
            if found is not None and (
                MARK.search(found[0])
                or re.match(
                    r"(?:the|a|an|some|this|that|these|those|another|one|more|my|its|something|stuff|it|all|contents?|text|lines?|words?)\b",
                    found[0],
                    re.I,
                )
            ):
                found = None
        text = r.plain(found[0]) if found else None
        if not text or text.split()[0].lower() in ("to", "at", "in", "from", "of", "about", "on"):
            raise Missing("what is to be added, in quotation marks")
    return {"PATH": where, "text": text}


def replace(r: Reading) -> Slots:
    r.join()
    if len(r.marks("fp")) == 2 and not r.marks("q"):
        found = r.take(
            rf"^(?:<use take make let have put>) {BODY}?@{{F}} (?:as|be|for|become) @(?:(?:new|whole|entire|full|only|future) )*(?:contents?|text|body) (?:of|for|in) @{{F}}",
            r"@(?:contents?|text) of @{F} (?:is to |should |must |shall |will )?(?:<replace overwrite>) (?:that|the (?:contents?|text|one)) (?:of|in) @{F}",
            rf"{BODY}@{{F}} (?:into|in|to) @{{F}},? (?:in place of|instead of|over|replacing|in lieu of).*$",
            rf"{BODY}?@{{F}} (?:over|on top of|instead of|in place of|in) {BODY}?@{{F}}",
            rf"(?:use|take|with|using) {BODY}?@{{F}}(?:'s (?:contents?|text|body))?(?:,| to| and)* (?:<overwrite replace>) {BODY}?@{{F}}",
        )
        if found is not None:
            return {"PATH": r.value(found[1]), "from": r.value(found[0])}
        found = r.take(
            rf"{{F}}(?:'s (?:whole |entire )?(?:contents?|text|body))?,? (?:(?:with|by|to|from|using|for|be|become|completely|entirely|out|and|put|that|the|same|exactly|identical|equal|like|as|is|should|have|has|a|an|exact|copy|of|take|get|gets|contain|hold|there|instead|write|what|say|whatever|only|just|says|what's|those|ones?|contents?|text|body|in|found|new|must|shall|needs|now) )*{BODY}?@{{F}}(?:'s (?:contents?|text))?"
        )
        if found is not None:
            return {"PATH": r.value(found[0]), "from": r.value(found[1])}
    where = r.path(r"(?:of|in|over|into|inside|to|on) @{F}(?:'s)?", r"@{F}(?:'s)?", folder=False)
    text = text_of(r)
    if text is None:
        free = r.take(
            rf"{CUT} *(?:contents? |text )?(?:(?:completely |entirely )?(?:with|by)|to (?:say|read|be)|so (?:that )?it (?:says|reads)):? (?!the contents?\b|what\b|that of\b|those\b|contents? of\b|something\b|it\b|\ue000[fpd]){{rest}}$"
        )
        text = r.plain(free[0]) if free else None
        if text is not None and not MARK.search(text) and text:
            return {"PATH": where, "text": text}
        raise Missing("what is to be in it, in quotation marks")
    return {"PATH": where, "text": text}


_DRY = (
    r"(?:,? ?(?:but |and )?without (?:actually |really |yet )*(?:<delete remove erase touch do change trash>|getting rid of|removal|deletion|harming)(?: anything| them| it| any| any of (?:them|it)| a thing| any file| any files| the files| those)?(?: yet| for real)?)",
    r"(?:,? ?(?:but |and )?(?:please )?(?:don't|do not|never|not) (?:actually |really |yet |in fact )*(?:<delete remove erase touch do change trash>|get rid of)(?: anything| them| it| any| any of (?:them|it)| a thing| any file| the files| those)(?: yet| for real| just yet)?)",
    r"(?:as |in |do |just |only |a |make |it |is )*\bdry[ -]?run(?: only)?(?: of| for|:)?",
    r"<delete remove> nothing",
    r"(?:only|just) <show list tell>(?: me| them| it)?",
    r"(?:nothing|none of them|no file) (?:is|are|should|must|may|shall) (?:to )?(?:be )?(?:really |actually )?(?:deleted|removed|touched|changed)(?: yet)?",
    r"^<preview simulate>",
    r"^@?(?:deletion|removal) of",
)


_WOULD = r"^if (?:i|we|you)\b.*\b(?:would|will)\b|^(?:(?:<show tell list see preview say print give get make>|let me (?:see|know)|i want to (?:see|know))(?: only| just| me| us)*|only <show list tell>|just <show list tell>|what|which)\b.*\b(?:would|will|might)\b"


def delete(r: Reading) -> Slots:
    slots: Slots = {}
    if r.has("<move send put>") and not r.has(r"\b(?:trash|bin)\b"):
        raise Missing("that it is to be removed")
    inside = r.take(r"\b(?:everything|anything|all|what(?:ever)? is|what's) (?:written )?(?:in|inside) @{F}")
    if inside is not None and "." in r.value(inside[0]).rpartition("/")[2]:
        raise Missing("that the file itself is to go, and not what is in it")
    if inside is not None:
        r.text = r.whole
    r.drop(
        r"[,;:.] ?(?:and |so |please )*<delete remove erase> (?:them|it|those|that)(?: all)?$",
        r"(?:can|should|must|may|has to|have to|needs? to|is to|are to|shall) (?:all |now )?(?:be )?(?:<delete remove erase trash>|go|gone|thrown away|binned|got rid of)(?: now)?$",
        rf"\bgone(?= *(?:$|[{CUT},]))",
        r"(?:isn't|is not|aren't|are not|is no longer|not) (?:needed|required|wanted|necessary)(?: any ?more| any longer)?,?",
    )
    r.drop(r"(?<=^rm) -[rRf]+\b")
    if r.drop(*_DRY) | r.has(_WOULD):
        slots["dry-run"] = True
        r.drop(
            r",? ?(?:which|what) (?:ones|files|of them) (?=(?:would|will|might))",
            r"\bif (?:i|we|you) (?:\w+ ){0,4}?(?:<delete remove>|were to (?:delete|remove)|got rid of|did)",
            r"(?:that |which |of them )?(?:would|will|might) (?:you |i |we )?(?:be )?(?:<delete remove erase go trash disappear vanish>|do|hit|lost|gone|affected|away)",
        )
    if r.has(r"{F}|{f}") and not r.has(
        r"(?:files|documents|everything|anything|notes|papers|all) (?:about|on|concerning|regarding|related)"
    ):
        r.join()
        counted(r)
        some = r.take("@(?:files? |and |both )*{fs}(?:'s)?")
        return slots | {"PATH": r.paths(some[0]) if some else []}
    if r.has("@(?:files? )?{Q}$") and not r.has(
        rf"(?:{'|'.join(ABOUT[:5])})|files|documents|notes\b|everything|anything|all\b|papers|whatever|match"
    ):
        return slots | {"PATH": [r.path()]}
    return slots | {
        "matching": r.topic(
            *ABOUT,
            *ON,
            r"(?:files|documents|everything|anything|notes|papers|all|whatever|those|files that) (?:for|that (?:match|answer|concern)|that is|which)?",
            why="which files",
        )
    }


def touch(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    r.drop(r"\bas if\b")
    at = r.take("(?:to|at|as of|on|of|from|since|were|was|be|into|back to)? ?@(?:date |time |day )?{t}")
    if at is not None:
        slots["at"] = r.value(at[0])
    return {"PATH": r.path()} | slots


_FORMATS = {
    "html": "html", "html5": "html", "htm": "html", "web page": "html", "webpage": "html", "hypertext": "html", "a web page": "html", "markdown": "md", "md": "md", "mark down": "md",
    "docx": "docx", "word": "docx", "ms word": "docx", "microsoft word": "docx", "doc": "docx", "plain text": "txt", "plaintext": "txt", "plain-text": "txt", "plain txt": "txt", "text": "txt",
    "txt": "txt", "simple text": "txt", "pure text": "txt", "raw text": "txt", "unformatted text": "txt", "text only": "txt", "ordinary text": "txt",
}  # fmt: skip


def translate(r: Reading) -> Slots:
    slots: Slots = {}
    formats = "|".join(sorted(_FORMATS, key=len, reverse=True))
    what = rf"\.?({formats})\b(?: (?:format|files?|documents?|version|page|copy|form|instead|equivalent|rendition|edition|variant|representation))*"
    into = None
    both = r.take(rf"(?:to|into|as|in) (?:a |an )?({formats}) {{F}}$") if len(r.marks("fp")) == 2 else None
    turned = (
        r.take(rf"({formats}) {{F}},? (?:out of|from|of|made from|based on) @{{F}}")
        if both is None and len(r.marks("fp")) == 2
        else None
    )
    if turned is not None:
        return {"PATH": r.value(turned[2]), "to": _FORMATS[turned[0].lower()], "into": r.value(turned[1])}
    r.drop(
        r"(?:from|out of) (?:pdf|html|markdown|md|docx|word|text|plain text)(?: format)?(?= (?:to|into) )",
        r"\b(?:pdf|html|markdown|docx|word|text) (?=\ue000[fp])",
    )
    if both is not None:
        slots |= {"to": _FORMATS[both[0].lower()], "into": r.value(both[1])}
    elif len(r.marks("fp")) == 2:
        into = r.take(
            r"(?:(?:and|then|,|;|but|with) )*(?:<save store write put name call output keep> )?(?:(?:it|that|this|the|result|output|in|into|to|as|under|called|named|name|file|converted|resulting|goes|should|be|is|go|target|at|document|a|an|html|docx|markdown|md|txt|text|plain|word|page|new|,|-o|--into|with|call|path|by|of|which|end|up) )*(?:to|into|as|in|under|called|named|is|at|name|be|call it|>|-o|path|file|name it|,) @{F}$",
            r",? ?(?:and |then |with |the )*(?:output|result|target|destination|new file|write|save|saved|call|name|calling|naming|resulting file|converted file)s?(?: (?:it|that|this|the|result|results|is|to|as|file|name|new|one|document|html|docx|markdown|output|should be|be|called|named|in|into|converted|under|copy|version))*:? @{F}",
            rf"(?:to|into|as|>|->|=>|→|giving|yielding|producing|creating|making) @{{F}}(?= *(?:in|as|,|{CUT}|$))",
        )
        if into is None:
            raise Missing("which file is converted, and into which")
        slots["into"] = r.value(into[0])
    where = r.path(folder=False)
    found = (
        None
        if "to" in slots
        else r.take(
            rf"(?:to|into|in|as|be|become|for|want|need|make|create|produce|out of it|of it|also|get|is|it) (?:(?:a|an|the|some|its|it|in|as|to|into|form of|format|proper|nice|clean|valid|simple|new|equivalent|corresponding) )*{what}",
            rf"(?:<make create produce generate give get need want export render write> )(?:me |us )?(?:(?:a|an|the|some|new) )*{what}",
            rf"(?:a|an|the|some|its|->|→|:) {what}",
            rf"{what}",
        )
    )
    if found is not None:
        slots["to"] = _FORMATS[found[0].lower()]
    elif "to" not in slots and into is not None:
        suffix = slots["into"].rpartition(".")[2].lower()
        if suffix not in _FORMATS:
            raise Missing("the format: md, html, docx or txt")
        slots["to"] = _FORMATS[suffix]
    elif "to" not in slots:
        raise Missing("the format: md, html, docx or txt")
    others = [
        one
        for one in ("html", "docx", "markdown", "plain text", "word")
        if r.has(rf"(?:to|into|as|in|and|or|,) @?{one}\b") and _FORMATS[one] != slots["to"]
    ]
    if others:
        raise Missing("one format")
    if "into" in slots and _FORMATS.get(slots["into"].rpartition(".")[2].lower(), slots["to"]) != slots["to"]:
        raise Missing("one format; the new file has another suffix")
    return {"PATH": where} | slots
