"""slots: what each call is given: from a sentence that is thought to mean it, the arguments as somebody would type them.

Each function takes from a `Reading` what belongs to its call, and raises Missing, with what the sentence does not say. What it leaves
there is not understood, and whoever called it decides whether that matters.
"""

import re
from collections.abc import Callable
from typing import Any

from syscalls.asking.conditions import expression
from syscalls.asking.masks import MARK, Said
from syscalls.asking.patterns import CUT
from syscalls.asking.reading import Missing, Reading

Slots = dict[str, Any]

_END = r"@(?:very )?(?:end|bottom|tail|foot|last line|closing)"
_BODY = r"(?:(?:@(?:whole |full |entire |complete |current |same |exact )*(?:contents?|text|body|words|lines|copy|everything|all)|what(?:ever)?(?: is|'s| stands)?|everything) (?:of|in|from|inside|as in|as|that is in|there is in) )"
_ABOUT = (
    r"(?:most |more |closely |best |the most )?(?:related|relevant|relevance|similar|similarity|close|closest|closeness|nearest|near|pertinent|proximity|nearness) (?:in meaning |semantically )?(?:to|for|with)",
    r"(?:by )?how (?:relevant|close|similar|near|related|pertinent|closely related) (?:they|it|each|each one|each of them) (?:are|is) to",
    r"(?:how|by how) (?:well|closely|much|strongly|near|close) (?:they|it|each|each one) (?:match|fit|relate to|concern|are to|answer|comes? to|is to|are related to|are about|has to do with|have to do with)",
    r"(?:<talk> about|about|regarding|concerning|dealing with|deals? with|relating to|relates? to|pertaining to|(?:having |have |has )?(?:something |anything )?to do with|revolving around|centred on|centered on|focus(?:ed|ing) on|focus on|touching on|touch on)",
    r"(?:on|of|with|around|to|for) @(?:topic|subject|theme|question|area|matter)s?(?: of|:)?",
    r"(?:<discuss cover treat address concern describe explain explore answer>)",
    r"(?:most |more |much |best )?(?:like|resembl\w+|match(?:es|ing)?(?! (?:for|to|on|of)\b)|fit(?:s|ting)?)(?: best)?",
)
_ON = (
    r"(?:files?|documents?|docs|papers?|notes|articles?|texts?|material|anything|everything|stuff|ones|whatever|all|information|reports?|reading|write-?ups?|pages|results|work|hits|matches|match|best|have|there is|we have|i have|things|something|pieces|literature|content|summary|overview|gist|digest|tl;?dr|recap|question|questions|query|queries|search(?:es)?|synopsis|briefing|rundown|me|us|say|says|said|wrote|written|know|knows) (?:on|of|for|around|to|in)",
)
_NAMED = r"(?:named|called|titled|under the name(?: of)?|with the name(?: of)?|by the name of|name it|call it|label(?:led|ed)?(?: it)?|and name it|and call it|naming it|calling it|tagged|entitled|name:?|whose name is|which is called|to be called)"
_STOP = frozenset(
    ["current", "present", "whole", "entire", "complete", "state", "moment", "that", "which", "for", "until", "to", "of", "the", "a", "an", "and", "valid", "from", "in", "on", "as", "by", "with", "it", "is", "now", "named", "called", "expiring", "expires", "so", "all", "everything", "files", "again", "please", "taken", "was", "before", "after", "at", "or", "live", "new", "my", "our", "every", "each", "this", "those", "these", "them"]
)


def name(reading: Reading, *texts: str) -> str | None:
    """A name behind one of these patterns; a word that only holds a sentence together is none."""
    for text in texts:
        before = reading.text
        found = reading.take(text)
        if found is None:
            continue
        given = reading.value(found[0]) if MARK.fullmatch(found[0]) else found[0]
        if given.lower() not in _STOP:
            return given
        reading.text = before
    return None


def _text(reading: Reading, *, colon: bool = True) -> str | None:
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


def create(r: Reading) -> Slots:
    r.join()
    files = len(r.marks("fp"))
    found = None
    if files > 1 and not r.marks("q"):
        copied = r.take(
            rf"(?:<copy duplicate clone>|cp) {_BODY}?@{{F}}(?:,? (?:to|as|into|under|over to|in|onto|at|and|giving|{_NAMED}|save|store|it|the|copy|second|new|file|result))* @{{F}}",
            rf"(?:copy|duplicate|clone) of {_BODY}?@{{F}}(?:,? (?:to|as|into|under|in|at|and|{_NAMED}|save|store|it|that|the|is|which))* @{{F}}",
            rf"(?:use|take|using|from|with|starting from|out of|based on) {_BODY}?@{{F}}(?: as (?:the|a) (?:source|template|basis|starting point))?,?(?: (?:to|and|as|for|make|create|write|start|produce|generate|set|up|a|an|the|new|file|document|copy|source|template|basis))* @{{F}}",
        )
        if copied is not None:
            return {"PATH": r.value(copied[1]), "from": r.value(copied[0])}
        found = r.take(
            rf"{{F}},? (?:(?:and|that|which|it|with|by|as|is|should|to|be|start|made|created|copied|taken|using|containing|contains|holding|having|has|holds|filled|fill|take|get|gets|taking|from|out|of|based|on|copy|a|an|the|duplicate|clone|copying|in|import|importing|same|exact|identical|reading|filling|use|like|its|up|loaded) )*{_BODY}?@{{F}}"
        )
        if found is not None:
            return {"PATH": r.value(found[0]), "from": r.value(found[1])}
    empty = r.drop(r"\b(?:empty|blank)\b")
    where = r.path(
        r"(?:new|fresh) @{F}", rf"{_NAMED} {{F}}", r"(?:in|into|as|to|under|at|inside) @(?:brand )?(?:new |fresh )*{F}", r"@{F}(?:'s)?", folder=False
    )
    slots: Slots = {"PATH": where}
    empty = empty | r.drop(r"(?:completely |totally |perfectly )?\b(?:empty|blank|zero-?byte|0-byte|zero-length)\b", r"(?:with )?(?:nothing|no (?:text|contents?|words))(?: in| inside)?(?: it| yet)?", r"without (?:any )?(?:text|contents?)")
    text = _text(r)
    if text is not None and empty:
        raise Missing("whether it is to be empty, or to have that text")
    if text is not None:
        slots["text"] = text
    elif not empty and (r.marks("fpqd") or r.has(r"\b(?:with|containing|saying|from|says|reading|contains?|about|holding)\b")):
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
    if not r.marks("qp") or (not r.marks("q") and len(r.marks("fp")) == 2):
        found = r.take(
            rf"{_BODY}?@{{F}}(?:'s (?:contents?|text))?,? (?:(?:to|onto|at|on|into|after|under|below|behind|as|in|the|very|end|bottom|tail|foot|of|is|be|put|added|appended|should|go|goes|and|it|then|append|stick|attach|write|paste|copy|that|tack|add) )*(?:to|onto|at|on|into|after|under|below|behind|of) @{{F}}"
        )
        if found is not None:
            return {"PATH": r.value(found[1]), "from": r.value(found[0])}
        found = r.take(
            rf"{{F}} (?:(?:with|by|from|using|the|end|add|append|put|attach|stick|tack|copy|there|on|its|is|at|bottom|of|paste|what|comes?|write|also|,) )*{_BODY}?@{{F}}(?:'s (?:contents?|text))?"
        )
        if found is not None:
            return {"PATH": r.value(found[0]), "from": r.value(found[1])}
    where = r.path(
        rf"(?:to|onto|at|on|in|into|of|after|under|below) (?:{_END} (?:of )?)?@(?:existing )?{{F}}", r"@{F}(?:'s)?", folder=False
    )
    text = _text(r)
    if text is None:
        found = r.take(rf"<append add put write> @(?:new |final |last |extra |another )*(?:line|words?|text|sentence|entry|note)s? {{some}}(?= (?:to|at|{_END})\b)?(?= *(?:{CUT}|$|to\b|at\b))")
        text = r.plain(found[0]) if found else None
        if text is None or text.split()[0].lower() in ("to", "at", "in", "from", "of", "about", "on"):
            raise Missing("what is to be added, in quotation marks")
    return {"PATH": where, "text": text}


def replace(r: Reading) -> Slots:
    r.join()
    if len(r.marks("fp")) == 2 and not r.marks("q"):
        found = r.take(r"@(?:contents?|text) of @{F} (?:is to |should |must |shall |will )?(?:<replace overwrite>) (?:that|the (?:contents?|text|one)) (?:of|in) @{F}", rf"{_BODY}@{{F}} (?:into|in|to) @{{F}},? (?:in place of|instead of|over|replacing|in lieu of).*$", rf"{_BODY}?@{{F}} (?:over|on top of|instead of|in place of|in) {_BODY}?@{{F}}", rf"(?:use|take|with|using) {_BODY}?@{{F}}(?:,| to| and)* (?:<overwrite replace>) {_BODY}?@{{F}}")
        if found is not None:
            return {"PATH": r.value(found[1]), "from": r.value(found[0])}
        found = r.take(
            rf"{{F}}(?:'s (?:whole |entire )?(?:contents?|text|body))?,? (?:(?:with|by|to|from|using|for|be|become|out|and|put|that|be|the|same|exactly|identical|equal|like|as|is|should|have|has|a|an|exact|copy|of|take|get|gets|contain|hold|there|instead|write|what|say|whatever|only|just|says|what's) )*{_BODY}?@{{F}}(?:'s (?:contents?|text))?"
        )
        if found is not None:
            return {"PATH": r.value(found[0]), "from": r.value(found[1])}
    where = r.path(r"(?:of|in|over|into|inside|to|on) @{F}(?:'s)?", r"@{F}(?:'s)?", folder=False)
    text = _text(r)
    if text is None:
        raise Missing("what is to be in it, in quotation marks")
    return {"PATH": where, "text": text}


_DRY = (
    r"(?:,? ?(?:but |and )?without (?:actually |really |yet )*(?:<delete remove erase touch do change trash>|getting rid of|removal|deletion|harming)(?: anything| them| it| any| any of (?:them|it)| a thing| any file| any files| the files| those)?(?: yet| for real)?)",
    r"(?:,? ?(?:but |and )?(?:please )?(?:don't|do not|never|not) (?:actually |really |yet |in fact )*(?:<delete remove erase touch do change trash>|get rid of)(?: anything| them| it| any| any of (?:them|it)| a thing| any file| the files| those)(?: yet| for real| just yet)?)",
    r"(?:as |in |do |just |only |a |make |it |is )*\bdry[ -]?run(?: only)?(?: of| for|:)?",
    r"<delete remove> nothing", r"(?:only|just) <show list tell>(?: me| them| it)?",
    r"(?:nothing|none of them|no file) (?:is|are|should|must|may|shall) (?:to )?(?:be )?(?:really |actually )?(?:deleted|removed|touched|changed)(?: yet)?",
    r"^<preview simulate>", r"^@?(?:deletion|removal) of",
)
_WOULD = r"^if (?:i|we|you)\b.*\b(?:would|will)\b|^(?:(?:<show tell list see preview say print give>|let me (?:see|know)|i want to (?:see|know))(?: only| just| me| us)*|only <show list tell>|just <show list tell>|what|which)\b.*\b(?:would|will|might)\b"


def delete(r: Reading) -> Slots:
    slots: Slots = {}
    r.drop(r"[,;:.] ?(?:and |so |please )*<delete remove erase> (?:them|it|those|that)(?: all)?$", r"(?:can|should|must|may|has to|have to|needs? to|is to|are to|shall) (?:all |now )?(?:be )?(?:<delete remove erase trash>|go|gone|thrown away|binned|got rid of)(?: now)?$", r"\bgone$", r"(?:isn't|is not|aren't|are not|is no longer|not) (?:needed|required|wanted|necessary)(?: any ?more| any longer)?,?")
    if r.drop(*_DRY) | r.has(_WOULD):
        slots["dry-run"] = True
        r.drop(r",? ?(?:which|what) (?:ones|files|of them) (?=(?:would|will|might))", r"\bif (?:i|we|you) (?:\w+ ){0,4}?(?:<delete remove>|were to (?:delete|remove)|got rid of|did)", r"(?:that |which |of them )?(?:would|will|might) (?:you |i |we )?(?:be )?(?:<delete remove erase go trash disappear vanish>|hit|lost|gone|affected|away)")
    if r.has(r"{F}|{f}") and not r.has(r"(?:files|documents|everything|anything|notes|papers|all) (?:about|on|concerning|regarding|related)"):
        r.join()
        some = r.take("@(?:files? |and |both )*{fs}(?:'s)?")
        return slots | {"PATH": r.paths(some[0]) if some else []}
    if r.has("@(?:files? )?{Q}$") and not r.has(rf"(?:{'|'.join(_ABOUT[:5])})|files|documents|notes\b|everything|anything|all\b|papers|whatever|match"):
        return slots | {"PATH": [r.path()]}
    return slots | {"matching": r.topic(*_ABOUT, *_ON, r"(?:files|documents|everything|anything|notes|papers|all|whatever|those|files that) (?:for|that (?:match|answer|concern)|that is|which)?", why="which files")}


def touch(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    at = r.take("(?:to|at|as of|on|of|from|since|were|was|be|into|back to)? ?@(?:date |time |day )?{t}")
    if at is not None:
        slots["at"] = r.value(at[0])
    return {"PATH": r.path()} | slots


def keywords(r: Reading) -> Slots:
    slots: Slots = {}
    place = r.scope() if r.marks("fd") else None
    if place is None:
        place = _bare_folder(r)
    if place is not None:
        slots["in"] = place
    return {"EXPRESSION": expression(r)} | slots


def _bare_folder(r: Reading) -> str | None:
    found = r.take(r"(?:files|documents|docs|everything|anything|stuff|papers|notes|look|search|all) (?:in|under|below|inside|within) (?:my )?(?!the\b|which\b|total\b|there\b|here\b|my\b|our\b|full\b|a\b|an\b|any\b|all\b|meaning\b|english\b)([\w-]+)(?= (?:that|which|with|containing|for|mention|contain|where|whose|<contain mention>))")
    return found[0] if found else None


_K = (
    r"(?:(?:for|the|its|just|only|exactly|at most|up to|no more than|a maximum of|maximum|max|around|give me|with|limit(?:ed)? (?:it |the (?:list|result|results|answer) )?to|k ?=?|show) )*(?:top|best|first|nearest|closest|limit(?:ed)?|leading|most)[ -]{n}",
    r"(?:(?:for|the|its|just|only|exactly|at most|up to|no more than|a maximum of|maximum|max|around|limit(?:ed)? (?:it |the (?:list|result|results|answer) )?to|k ?=?) )*{n}(?= (?:of )?(?:[\w-]+,? ){0,4}?(?:files?|docs?|documents?|papers?|notes?|results?|hits?|texts?|articles?|best|most|closest|nearest|top|items|entries|things|matches|ones|pages|pieces|reports?|them|those|is|are|will|max|of)\b)",
    r"(?:top|best|first|nearest|closest|limit(?:ed)? to|limit|at most|up to|no more than|maximum|max|k ?=?|only|just) {n}(?: (?:of them|results?|files?|hits?))?",
    r"\bk ?= ?{n}:?", r"{n}(?: (?:of them|results?|files?|hits?|is enough|are enough|will do|max|at most|suffice))?$",
)


def _k(r: Reading) -> Slots:
    found = r.take(*_K)
    return {"k": r.value(found[0])} if found is not None else {}


def semantic(r: Reading) -> Slots:
    slots = _scoped(r)
    slots |= _k(r)
    return {"PROMPT": _topic(r)} | slots


def _scoped(r: Reading) -> Slots:
    place = r.scope() if r.marks("fd") else None
    return {"in": place} if place is not None else {}


def _topic(r: Reading) -> str:
    r.drop(r"\b(?:semantically|in meaning(?! (?:to|with))|by meaning|(?:by|in|in terms of|of|judged by|according to) (?:its |their |the )?(?:meaning|relevance)(?! (?:to|for))|best first|closest first|nearest first|most relevant first|(?:with )?the (?:best|closest|nearest|most relevant)(?: ones?)? first)\b")
    r.drop(r"\b(?:are|is)$")
    quoted = r.marks("q") or r.marks("p")
    if len(quoted) == 1:
        mark = quoted[0]
        r.text = r.text.replace(mark, f" {CUT} ", 1)
        return r.subject(mark)
    return r.topic(
        *_ABOUT,
        *_ON,
        r"^(?:<search look hunt ask dig> (?:(?:through|in|all|my|the|our|files|documents|everything|me|up|out|around|for|notes) )*for|<query>)(?: @(?:files|documents|papers|notes|anything|everything))?(?: on| about)?",
        r"^(?:<find get list show retrieve give locate fetch> )(?:me |us )?(?:@)?(?:best |most relevant )*(?:files|documents|papers|notes|hits|results|matches)(?: on| about| for| of)",
        r"^<search>",
        r"\bon",
        r"\b(?:meaning|mean)",
        r"\bfor", rf"[{CUT}] *:",
    )


def integrated(r: Reading) -> Slots:
    slots = _scoped(r)
    slots |= _k(r)
    ranked = r"(?:(?:and|then|,|but|by|in|are|be|with|that|which|most|best|closest|nearest|more|first|to|the|those|ones|them|it|results?|order(?:ed)?|rank(?:ed|ing)?|sort(?:ed)?|also|of|according|their|its|files|show|list|put|come|coming|at|top|how|well|closely|they|each|is|whatever|only|if|what|give|me|pick|keep|choose|starting|find|(?:<rank sort order list show>)) ?)*"
    quoted = r.marks("qp")
    topic = None
    cues = [*_ABOUT, r"(?:files?|documents?|docs|papers?|notes|ones|those|anything|everything|results?|articles?|texts?|material|reports?|stuff) on", r"on", r"(?:whose|with|as) (?:the )?(?:subject|topic|theme) (?:is|of)", r"with (?:regard|respect) to", r"meaning:?", r"^(?:semantic )?search for", r"<rank sort order> (?:\w+ ){0,3}(?:for|by|on)", r"\bby(?: relevance to)?", r"(?:best|closest|nearest|top)(?: matches| hits| ones| match)? (?:for|to|on)"]
    for cue in cues:
        found = r.take(rf"{ranked}\b{cue}:? {{q}}", rf"{ranked}\b{cue}:? {{some}}(?=,? (?:<mention contain include use say>|have|has|among|that|which|and|but|with|where|in which|whose|if they|as long as|containing|mentioning|having|including|using|among|provided|must|they must|only|they should|restricted|limited|from|out of|of)\b.*(?:<contain mention include appear occur use>|containing|mentioning|words?|phrase|terms?|keywords?|{{q}})|\s*{CUT}|\s*$|\s*[,;:])")
        if found is not None:
            topic = r.subject(found[0])
            break
    if topic is None:
        raise Missing("what it is about")
    if len(quoted) > len(r.marks("qp")) and not r.marks("qp") and len(quoted) == 1 and not r.has(r"<contain mention include> |\bwords?\b|\bkeywords?\b|\bphrase\b|\bterms?\b"):
        raise Missing("which words have to occur")
    return {"WORDS": expression(r), "PROMPT": topic} | slots


_BY = {
    "topic": "topic", "topics": "topic", "subject": "topic", "subjects": "topic", "theme": "topic", "themes": "topic", "what they are about": "topic", "type": "type", "types": "type", "file type": "type",
    "file types": "type", "kind": "type", "kind of file": "type", "type of file": "type", "extension": "type", "file extension": "type", "file format": "type", "format": "type", "filetype": "type", "month": "month", "months": "month",
    "folder": "folder", "folders": "folder", "directory": "folder", "directories": "folder", "author": "author", "authors": "author", "writer": "author", "who wrote them": "author", "who wrote it": "author", "their author": "author",
    "subject matter": "topic", "suffix": "type",
}  # fmt: skip
_GROUP_TAIL = (
    *_ABOUT,
    *_ON,
    r"(?:^<group sort arrange organise organize>|results? (?:of|for)|answers? (?:to|of)|hits (?:of|for)|answer|question|query|matches (?:of|for)|everything|whatever) (?:@(?:question|query|search) )?",
)


def group(r: Reading) -> Slots:
    dropped = name(
        r, r"@(?:live )?group(?: named| called)? {name} (?:isn't|is not|is no longer|can|should|may|must)(?: be| now)? (?:needed|wanted|dropped|deleted|removed|dissolved|go)(?: any ?more| any longer)?,?(?: (?:so |please )*<drop remove delete dissolve> it)?", rf"<drop dissolve remove delete disband forget discard cancel erase> @(?:live |saved |named )*group(?: (?:{_NAMED}))? {{name}}", r"<drop dissolve remove delete disband forget discard cancel erase> @{name} group",
        r"<get> rid of @(?:live )?group(?: (?:named|called))? {name}", rf"group(?: (?:{_NAMED}))? {{name}} (?:is|can|should|may)(?: be)? (?:no longer|not|<drop remove delete dissolve>|go|needed).*",
        r"<get> rid of @{name} group", r"<drop dissolve remove delete disband forget discard> {name},? the group", r"<unmake scrap disband> @group {name}", r"(?:don't|do not|no longer) need @(?:live )?group(?: (?:named|called))? {name}(?: any ?more| any longer)?",
    )
    if dropped is not None:
        r.drop(r"^(?:i|we)$")
        return {"NAME": dropped, "drop": True}
    by = "|".join(sorted(_BY, key=len, reverse=True))
    slots: Slots = {}
    found = r.take(rf"(?:(?:in|into|and|then|group(?:ed)?|sort(?:ed)?|them|those|it|split|up|cluster(?:ed)?|arrange[d]?|organi[sz]ed?|one|groups?|piles|buckets|categories|sections|a|with|broken|down|divided|put) )*(?:by|per|according to|based on|depending on|on the basis of) @(?:their |its )?({by})\b(?! (?:of )?\ue000)",
                   rf"(?:one|a) group (?:for each|per|for every) ({by})", rf"(?:for|in) (?:each|every) ({by})")
    if found is not None:
        slots["by"] = _BY[found[0].lower()]
        r.drop(r"(?:and |then |, ?)+(?:<group sort arrange cluster split organise organize order>) (?:them|those|it|the (?:files|results|hits))", r"\b(?:in|into) (?:groups|piles|buckets|categories)\b")
    if r.drop(r"(?:(?:as|using|use|with|by|make|only|just|of|put|create|place|collect|,|in the form of|but) )*(?:symbolic |sym|soft )?-?links?(?: (?:instead of|rather than|not|and not|in place of|,? no) (?:copies|copying|a copy|the files themselves|copy))?(?: (?:to|for|of|only))?(?! {name} to)"):
        slots["links"] = True
    r.drop(r",? ?(?:no|not|instead of|rather than|without making) (?:copies|copying)")
    into = r.take(r"(?:in|into|to|inside|under|within) @(?:(?:brand )?new |fresh |separate |single |own |one )*{f}", r"<fill create make> @(?:(?:brand )?new |fresh )*{d}(?: (?:with|from|of|that (?:holds|contains|has|with)|holding|containing))?", r"@(?:new )?{d}")
    if into is not None:
        slots["into"] = r.value(into[0])
        r.drop(r"\bcopies\b(?: of)?")
    if not {"by", "into"} & set(slots):
        given = name(
            r, r"(?:form|be|become|make up) @group {name}", r"^group {name}(?=:)", r"<let> {name} be @group", r"(?:<set> up|<make create define build>) {name} as (?:a |the )?(?:new |live )*group", rf"(?:(?:in|into|as|to|make|create|define|set up|build|start|form|them) )*@(?:new |live |always current |named |dynamic |up-to-date |single |self-updating |standing )*group,? (?:(?:and )?{_NAMED}) {{name}}",
            r"(?:(?:in|into|as) )@(?:new |live |named |dynamic )*group {name}", rf"(?:and )?{_NAMED} @(?:live )?(?:group )?{{name}}", r"(?:under|as|into) @(?:new |live |named )*(?:group )?(?:called |named )?{x}",
            r"(?:in|into|as) @(?:new |live )*{name} group", r"@(?:new |live )*group {name}(?= (?:of|for|with|from|that|which|to|about|on|as|should|be|is|hold|:|=|holding|containing|out))", r"\bas {name}$", r"\bas {name}(?= )", r"group: {name}", r"@{name} group",
        )
        if given is None and r.has("^<name call> .*{Q}"):
            given = name(r, "{Q}(?: and <keep make> (?:that|the|it)(?: group)? (?:live|up to date|current))?")
        if given is None:
            raise Missing("what the group is called")
        slots["NAME"] = given
    r.drop(r"\b(?:live |dynamic |new )*groups?(?= (?:of|for|with|from|that|which|to|about|on|\ue000))(?: (?:of|for|with|from))?", r"(?:a )?copy of (?=every|all|each|the)", r",? (?:and )?(?:keep|kept) (?:it |them )?(?:live|up to date|current)", r"\blive$")
    slots["PROMPT"] = _question(r, *_GROUP_TAIL)
    if slots.get("links") and "into" not in slots:
        raise Missing("the new folder that the links go to")
    return slots


def _question(r: Reading, *cues: str) -> str:
    quoted = r.marks("qp")
    if len(quoted) == 1:
        r.text = r.text.replace(quoted[0], f" {CUT} ", 1)
        return r.subject(quoted[0])
    return r.topic(*cues)


_RESULT = r"(?:(?:one|a|an|single|new|common|combined|big|bigger|larger|joint|merged|joined|the|file|document|text|and|then|so|save|saved|store|write|put|it|its|result|results|output|them|this|that|as|in|into|to|under|name|of|call|named|called|titled|which|goes|go|make|create|produce|form|build|target|is|be|should|will|end|up|with|get|giving|yielding|for|whole|thing|everything|all|together),? )*"


def join(r: Reading) -> Slots:
    slots: Slots = {}
    placed = r.drop(r",? ?\b(?:in[ -]place(?! of)|in situ|without (?:<make create>) (?:a |any )?(?:new|third|separate|other|another) (?:one|file|document)|no new file)\b,?(?: (?:so that|so) {f} grows)?", r"--in-place")
    r.drop(r"\btogether\b", r"\bone after (?:the other|another)\b", r"\bin (?:that|this|the given) order\b", r"\bback to back\b")
    made = r.take(r"{f} ?(?:=|:=|<-|←) ?{fs}", r"^(?:<make produce create build get form write> )@{f},? (?:from|out of|by \w+ing|of|with|using) @{fs}", r"(?:^|into )@?(?:{n} (?:file|document))?,? ?{f},? (?:from|out of|made of|made from) @{fs}$")
    if made is not None:
        marks = [part for part in made if part]
        target, parts = r.value(marks[-2]), r.paths(marks[-1])
        if len(parts) > 1 and target not in parts:
            return {"PATH": parts, "into": target}
        raise Missing("two files at least, and a new one")
    one = r.take(r"(?:into |in |to |as |make )?{n} (?:single )?(?:file|document|text)(?: out)?")
    if one is not None and r.value(one[0]) != "1":
        raise Missing("one new file")
    files = r.marks("fpd")
    first = r.take(r",? ?(?:with |where )?@{f} (?:being|is|as) @(?:file |one )?(?:that|which)? ?(?:grows|gets longer|is extended|target)") if placed else None
    if first is not None:
        some = r.take("{fs}")
        names = r.paths(some[0]) if some else []
        target = r.value(first[0])
        return {"PATH": [target, *(name for name in names if name != target)], "in-place": True}
    if placed and len(files) > 2 and r.has("into @{f}"):
        raise Missing("either a new file, or that the first one grows")
    onto = r"(?:onto|on to|to|at|after|behind|below|underneath|under|into|on)(?: @(?:very )?(?:end|bottom|tail|back)(?: of)?)?"
    if len(files) >= 2 and (placed or r.has(r"{f} (?:onto|on to|(?:to|at|on) @(?:very )?(?:end|bottom|tail)(?: of)?) @{f}")):
        found = r.take(r"{f} first,? (?:and )?(?:then )?{f}") if placed else None
        if found is not None:
            return {"PATH": [r.value(found[0]), r.value(found[1])], "in-place": True}
        found = r.take(rf"{{fs}}(?: together)?,? {onto} @{{f}}")
        if found is not None:
            return {"PATH": [r.value(found[1]), *r.paths(found[0])], "in-place": True}
        found = r.take(r"(?:to|onto|extend|after|at (?:the )?end of|grow) @{f},? (?:(?:with|by|<add append join attach put>|the|file|files|contents? of|now) )*{fs}")
        if found is not None:
            return {"PATH": [r.value(found[0]), *r.paths(found[1])], "in-place": True}
        if placed:
            grows = r.take(r"(?:into|so that|in|growing|extending|let|make) @{f}(?: (?:grow|grows|longer|gets longer|itself))")
            r.drop(r"(?<=[\ue100-\ue8ff] )first\b")
            r.text = r.text.replace(f" {CUT} , then", " then").replace(f" {CUT} ,", ",")
            found = r.take("{fs}")
            if found is not None and len(r.paths(found[0])) > 1:
                named = r.paths(found[0])
                if grows is not None:
                    first = r.value(grows[0])
                    named = [first, *(one for one in named if one != first)]
                return {"PATH": named, "in-place": True}
        raise Missing("which file grows, and by which")
    if placed:
        raise Missing("which file grows, and by which")
    r.drop(r"(?:should|must|can|are to|is to|shall|need to|have to) (?:all )?(?:be )?(?:merged|joined|concatenated|combined|put|collected|united|become|go|stitched|glued)\b")
    made = r.take(r"@(?:\w+ )?{F},? (?:which is |that is )?(?:should be |is to be |must be |is )?(?:the |a )?(?:made|built|composed|assembled|put|created|consisting|formed|joined|merged|concatenation|join)(?: up| together)? (?:of|from|out of|by joining) @{fs}")
    if made is not None and len(r.paths(made[1])) > 1:
        return {"PATH": r.paths(made[1]), "into": r.value(made[0])}
    into = r.take(
        rf"(?:,|;)? ?(?:(?:and|then|so that|with|be joined|be merged) )*(?:into|in|to|as|under|named|called|make|makes|create|produce|build|form|output|forming|making|creating|producing|>|giving|call|name|result|get) {_RESULT}@{_RESULT},? ?{{f}}$",
        rf"(?:into|to|as|named|called|make|create|produce|build|form) {_RESULT}@{_RESULT}{{f}}(?= (?:from|out of|by|using|with|of|that|joining|which|:|{CUT}|containing|consisting|holding))",
        rf"(?:into|named|called|to make|>|in|as) {_RESULT}@{{f}}",
        rf"^(?:<make create build produce write form>|the new) {_RESULT}@{{f}}",
        r"(?:into|as|to|called|named|in|is|create|make|result|store|write|output|call|>|->)(?: [\w'-]+,?){0,6},? {f}$",
    )
    if into is None:
        raise Missing("the new file that they go into")
    slots["into"] = r.value(into[-1])
    found = []
    while (some := r.take("@(?:files? |and |both |contents? of )*{fs}")) is not None:
        found += r.paths(some[0])
    if found:
        if len(found) < 2 and not r.has(rf"(?:{_ABOUT[2]})"):
            raise Missing("two files at least")
        if slots["into"] in found:
            raise Missing("a new file that is none of them")
        slots["PATH"] = found
        if not r.has(rf"(?:files|everything|documents|all|those|notes) (?:{_ABOUT[2]})"):
            return slots
    slots["matching"] = _question(r, *_ABOUT, *_ON, r"^<join concatenate merge combine> (?:@)(?:files|documents|everything)(?: that)?")
    return slots


_ONLY = r"\b(?:but|and|yet|,) (?:not|never|no|nothing|none|without|neither)\b|\bbut\b.*\bnot\b|\bwithout\b|\bminus\b|\bexcept\b|\bexclud\w+\b|\bexcluding\b|\bleav(?:e|ing) out\b|\bomit\w*\b|\bnot\b|\bsubtract\w*\b|\bonly (?:of |in |for |to )?the first\b|\bother than\b|\bset difference\b|\bdifference\b|\bunless\b|\bdiscard\w*\b|\bremov(?:e|ing)\b|\bfilter(?:ing)? out\b|\bfilter\b.*\bout of\b|\bskip(?:ping)?\b|\brather than\b|\bdrop(?:ping)?\b|\btake away\b|\bless\b|\bdon't\b|\baren't\b|\bdoesn't\b|\bisn't\b"
_EITHER = r"\bpool\w*\b|\beither\b|\bor\b|\bunion\b|\bany of\b|\bat least one\b|\bone of\b|\bunite\w*\b|\btogether\b|\balternatively\b|\ball of either\b"
_BOTH = r"\bboth\b|\band\b|\bintersect\w*\b|\bcommon\b|\boverlap\w*\b|\bas well as\b|\bat the same time\b|\bat once\b|\bsimultaneously\b|\balso\b|\bshared?\b|\bwhile\b|\btogether with\b|\balong with\b|\bcombined with\b"


def combine(r: Reading) -> Slots:
    slots = _scoped(r)
    how = "only" if r.has(_ONLY) else "either" if r.has(_EITHER) else "both" if r.has(_BOTH) else None
    r.drop(r"[,:]? ?\beither (?:one|is fine|will do|way)$")
    if how is None:
        raise Missing("whether both, either, or only the first")
    quoted = r.marks("qp")
    if len(quoted) == 2:
        first, second = quoted
        if r.has(rf"(?:<subtract remove exclude drop take discard filter leave omit> )(?:away |out )?(?:(?:@(?:files|results?|hits|answers|ones|those|question) |of |to |for |that answer |about |from |which answer |whatever answers |everything )*){re.escape(first)}.*\b(?:from|out of)\b.*{re.escape(second)}"):
            first, second = second, first
        for mark in quoted:
            r.text = r.text.replace(mark, f" {CUT} ", 1)
        r.drop(_ONLY, _EITHER, _BOTH)
        return {"A": r.subject(first), "B": r.subject(second), "how": how} | slots
    if len(quoted) == 1:
        raise Missing("two questions")
    about = r"(?:@(?:files|documents|ones|those|papers|results|stuff|everything|anything|things|notes) )?(?:(?:that|which) (?:are |is |also )?)?(?:also |(?:actually )?(?:concern|discuss|mention|cover|treat)(?:s|ing)? |about |on |of |regarding |concerning |for |to |related to |dealing with |the (?:topic|subject) (?:of )?|answering |to do with |deals? with |anything |those |is |are )*"
    split = {
        "only": rf"{{some}},? (?:but|and|yet|though|while)?,? ?(?:without|minus|except(?: for)?|exclud\w+|leav(?:e|ing) out|omit\w*|other than|(?:is |are |have |has |do |does |also |that |which |they |it )*(?:not|never|nothing|no|don't|doesn't|aren't|isn't)|unless|skip(?:ping)?|drop(?:ping)?|rather than|less)(?: any(?:thing)?| those| the ones| ones| files| have| deal| with| anything| something| to do with| be| being| it's| it is| they are| mention| touch on)* {about}{{rest}}",
        "either": rf"{{some}},? (?:or(?: else)?|and|as well as|together with) (?:also |else |alternatively )?{about}{{rest}}",
        "both": rf"{{some}},? (?:and(?: at the same time| simultaneously| also)?|as well as|together with|along with|combined with|while also|but also|with|intersected with|plus) {about}{{rest}}",
    }[how]
    starts = (
        rf"(?:both|either|union of|intersection of|overlap (?:of|between)|at least one of|one of|any of|results? (?:of|for)|difference (?:of|between)) (?:the )?(?:results? (?:of|for) |questions? |files |topics )?{about}",
        rf"(?:about|regarding|concerning|related to|on the (?:topic|subject) of|dealing with|deals? with|to do with|discuss(?:es|ing)?|cover(?:s|ing)?|answer(?:s|ing)?|relating to|treat(?:s|ing)?|touch(?:es|ing)? on|(?:most )?(?:relevant|related|close) to) (?:both |either |the )?(?:questions? )?{about}",
        r"(?:files|papers|documents|notes|anything|everything|stuff|articles|material|texts|results|what(?: do)? (?:i|we) have|those|reports) (?:on|for|of|that) (?:both |either )?",
        r"^(?:<intersect unite combine>) @(?:results? (?:of|for) )?",
        r"\b(?:on|for) (?:both |either )?",
    )
    for start in starts:
        found = r.take(start + split)
        if found is not None:
            first, second = r.subject(found[-2]), r.subject(found[-1])
            inner = r"\b(?:and|or|but|not|without)\b"
            if re.search(inner, first, re.I) or re.search(inner, second, re.I):
                raise Missing("two questions, in quotation marks")
            second = re.sub(r"(?:,? (?:at the same time|as well|too|alike|simultaneously|at once|in common|together|alone|though|either|both))+$", "", second, flags=re.I)
            r.drop(_ONLY, _EITHER, _BOTH)
            return {"A": first, "B": second, "how": how} | slots
    raise Missing("two questions, in quotation marks")


_AND = r"(?:and|to|with|vs\.?|versus|against|through|from|or|→|->|-|–|\.\.|until|as well as|,|compared to|compared with|up to)"
_SNAP = r"(?:@(?:snapshots? )?(?:named |called )?)"


def compare(r: Reading) -> Slots:
    slots: Slots = {}
    r.join()
    if not r.marks("v") or r.has("snapshot"):
        where = r.take(r"@{f} (?:in|of|at|from) @snapshot {name},? (?:and|to|with|against) (?:@{f} |that |it )?(?:in|of|at|from) @snapshot {name}")
        if where is not None and (not where[2] or r.value(where[0]) == r.value(where[2])):
            return {"PATH": r.value(where[0]), "from": r.plain(where[1]), "to": r.plain(where[3])}
        pair = r.take(r"@snapshot {name} (?:<differ>|is different|different|changed)(?: from| to| compared (?:to|with))? @(?:snapshot )?{name}",
            rf"(?:between |from |of )?@(?:two )?snapshots?(?: named| called|:)? {{name}},? {_AND} {_SNAP}{{name}}(?: snapshots?)?",
            rf"(?:between |from |of )?@{{name}}(?: snapshot)? {_AND} @{{name}} snapshots?",
            rf"(?:between |from )?@snapshot {{name}} {_AND} {_SNAP}{{name}}",
        )
        if pair is not None:
            slots |= {"from": r.plain(pair[0]), "to": r.plain(pair[1])}
        elif r.has("snapshot"):
            one = name(r, r"(?:since|from|with|to|against|and|between|than|in|as of|compared (?:to|with)) @(?:(?:the )?version (?:in|of|from) )?@snapshot (?:named |called )?{name}", r"(?:since|from|with|to|against|and|between|than|in|as of|compared (?:to|with)) @{name} snapshot")
            if one is not None:
                slots["from"] = one
                r.drop(rf"(?:{_AND} )?(?:@(?:version |state |one )?(?:now|today|current(?:ly)?|latest|newest|present|what is there now|how it is now)(?: version| state| one)?)")
    if "from" not in slots and r.marks("v"):
        turned = r.take(r"(?:from |of |in )?@{v}(?: of @{f})? (?:\w+ ){0,2}(?:compared (?:to|with)|relative to|in comparison (?:to|with)) @{v}", r"what did @{v} (?:change|alter|add|do)(?: in| to) @{f} (?:against|over|since|from|compared (?:to|with)) @{v}")
        if turned is not None:
            slots |= {"from": f"v{r.value(turned[2])}", "to": f"v{r.value(turned[0])}"}
            if turned[1]:
                slots["PATH"] = r.value(turned[1])
    if "from" not in slots and r.marks("v"):
        pair = r.take(rf"(?:between |from |of |in )?@{{v}}(?: of (?:@)?(?=\ue000f))?,? (?:(?:@{{f}} )?)(?:changed |is |was |differs? |different )*{_AND} (?:@|its |of )?{{v}}")
        if pair is not None:
            slots |= {"from": f"v{r.value(pair[0])}", "to": f"v{r.value(pair[-1])}"}
            if len(pair) > 2 and pair[1]:
                slots["PATH"] = r.value(pair[1])
        elif len(r.marks("v")) == 2 and r.has(r"{v}.*(?:from|and|to|with|against|versus|vs|than).*{v}"):
            marks = r.marks("v")
            slots |= {"from": f"v{r.value(marks[0])}", "to": f"v{r.value(marks[1])}"}
            for mark in marks:
                r.text = r.text.replace(mark, f" {CUT} ", 1)
        else:
            one = r.take(r"(?:since|from|with|to|against|and|between|than|in|of|compared (?:to|with))? ?@{v}(?: (?:on|onwards))?")
            if one is not None:
                slots["from"] = f"v{r.value(one[0])}"
                r.drop(rf"(?:{_AND} )?(?:@|its )?(?:(?:now|today|current(?:ly)?|latest|newest|present|most recent)(?: version| state| one| content)?)\b")
    if "from" not in slots and r.marks("t"):
        pair = r.take(rf"(?:between |from |on |of )?@(?:version |state )?(?:of |from |on )?{{t}},? {_AND} (?:on |that of |the one of |the version of )?{{t}}")
        if pair is not None:
            slots |= {"from": r.value(pair[0]), "to": r.value(pair[1])}
        elif (one := r.take(r"(?:since|from) {t}(?: (?:on|onwards))?")) is not None:
            slots["from"] = r.value(one[0])
    if "from" not in slots and (r.marks("b") == r.marks("vb") and len(r.marks("b")) == 1) and r.value(r.marks("b")[0]) == "1":
        r.take(rf"(?:{_AND} |between |since |compared to )?@(?:its |the )?{{b}}")
        r.drop(rf"(?:{_AND} )?(?:@|its )?(?:(?:now|today|current(?:ly)?|latest|newest|present)(?: version| state| one)?)\b")
    if "PATH" in slots:
        return slots
    pair = r.take(rf"{{fs}}(?:'s)?,? (?:(?:is |are |was )?(?:different|differs?|deviates?|distinct) )?(?:{_AND}|is from|from that in|from what is in) @(?:contents? of )?{{f}}", r"{f}(?:,| and| with| &)+ @{f}") if "from" not in slots else None
    if pair is None and "from" not in slots:
        both = r.take("{fs}")
        names = r.paths(both[0]) if both else []
        if len(names) == 2:
            return {"PATH": names[0], "with": names[1]}
        if len(names) > 2:
            raise Missing("two files")
        if names and r.has(r"^(?:what|how)\b|\bchange[sd]?\b|\bchanging\b"):
            return {"PATH": names[0]}
        raise Missing("which files, versions or snapshots")
    if pair is not None:
        names = [*r.paths(pair[0]), r.value(pair[1])]
        if len(names) != 2:
            raise Missing("two files")
        return {"PATH": names[0], "with": names[1]}
    one = r.take(r"@{f}(?:'s)?")
    if one is None and "from" in slots and (r.said("snapshot") or r.said("{t}")) and not r.said("{v}"):
        r.drop(r"\b(?:everything|all files|the whole (?:tree|folder|mount|thing)|everywhere|overall|anything|the entire tree)\b")
        return {"PATH": "files"} | slots
    if one is None:
        raise Missing("which file")
    return {"PATH": r.value(one[0])} | slots


_ALL = r"(?:@(?:entire |whole |complete )*(?:everything|all files|all the files|all of it|all of them|all|tree|mount|file ?system|folder tree|workspace|lot|everything there is|all my files|every file|all folders|all my documents|anything|files)(?: (?:that is )?(?:in|on|under|of|below|inside) (?:the |this )?(?:mount|tree|files|here|lsfs|folder))?)"


def _whole(r: Reading) -> bool:
    return r.take(rf"{_ALL}(?= |$)") is not None


def watch(r: Reading) -> Slots:
    r.join()
    if r.marks("fpdq"):
        return {"PATH": r.path()}
    if r.has(r"\b(?:everything|all files|whole|entire|anywhere|all the files|any file)\b") and _whole(r):
        return {"PATH": "files"}
    raise Missing("which file or folder")


def summarise(r: Reading) -> Slots:
    slots: Slots = {}
    no_llm = (
        r"(?:(?:but|and|please|do it|,|so) )*(?:without|with no|not using|no|don't use|do not use|never use|don't ask|do not ask|not with|not by|skip(?:ping)?|avoid(?:ing)?|don't involve|do not involve|leave out|leaving out|keep|keeping|not|don't let|do not let)"
        r" (?:(?:the|an|a|any|using|use|of|help|asking|involving|calling|from|for|this|it) )*(?:llms?|language models?|large language models?|ai|ai models?|chatbots?|model)(?: (?:for (?:it|this|that)|out of it|write it|involved|do it|out|touch it))?",
        r"\bllm[- ]free\b", r"\bextractive(?:ly)?\b", r"\bno[- ]llm\b", r"in (?:the|their) (?:files'|files|own) (?:own )?(?:words|sentences)(?: only)?", r"with the (?:llm|language model) (?:switched |turned )?off",
    )
    whole = r.take(r"(?:<summarise summarize condense>|<sum> up) @{d}")
    if whole is not None:
        slots["in"] = r.value(whole[0])
    if r.drop(*no_llm):
        slots["no-llm"] = True
    found = r.take(r"(?:(?:in|into|with|using|of|at|most|no|more|than|up|to|down|only|just|exactly|about|around|a|the|make|it|max(?:imum)?|keep|limit|limited|not|fewer|under|within|that|has) )*{n}(?:[ -](?:\w+ )?(?:sentences?))(?: (?:at most|max|maximum|or (?:less|fewer)|long|only|each))?")
    if found is not None:
        slots["sentences"] = r.value(found[0])
    slots |= _scoped(r)
    r.drop(r"(?:(?:and|then|,|to) )+(?:<summarise summarize condense>|sum|give|write|make|boil)(?: (?:me|us|up|a|short|brief|the|them|it|those|these|of|results?|what|they|say|summary|overview|down|all|for))*(?= |$)" if r.has(r"^(?:<retrieve find get collect gather search look take fetch read pull go>)") else r"(?!)")
    r.drop(r",? (?:briefly|shortly|in short|in brief|in a nutshell|concisely)(?= |$)")
    topic = _question(
        r, r"(?:files?|documents?|docs|papers?|notes|articles?|texts?|material|reports?|everything|anything|literature|information|all|results|we have|is known) on", r"(?:say|says|tell|tells|tell us|state|report|know|have|contain|wrote|written|writing)(?: to say| me| us)? (?:about|on|regarding|concerning)", *_ABOUT, *_ON,
        r"(?:to|for) the question", r"(?:summary|overview|gist|digest|recap|synopsis|rundown|essence|briefing|tl;?dr|key points|main points)(?: of| on| for|:)?(?: (?:what|everything|all|the files|my files|files|papers|notes|documents))*(?: on| about)?", r"<summarise summarize outline condense>(?: up| down)?(?: everything| all| the files| what there is| what we have)?(?: on| for)?",
        r"\bsum up", r"\bon", r"^<look> up", r"^<search find get> (?:for )?",
    )
    if topic in [thing.value for thing in r.things if thing.kind in "fd"]:
        raise Missing("which question the files are asked")
    return {"PROMPT": topic} | slots


def link(r: Reading) -> Slots:
    gone = r"<revoke invalidate disable deactivate withdraw cancel retract kill delete remove stop recall drop rescind void terminate pull>"
    revoked = name(
        r, rf"(?:{gone}|take back|taking back|switch off|turn off|shut (?:down|off)|call back|put an end to) @(?:expiring |share |sharing |shared |temporary |public )*link(?:,? (?:{_NAMED}))? {{name}}", rf"(?:{gone}|take back|shut (?:down|off)|switch off|turn off|get rid of) @{{name}} link",
        rf"@link(?: (?:{_NAMED}))? {{name}} (?:is|must|should|has|may|shall|can|needs)(?: no longer| to| not)?(?: be)?(?: any more)? (?:{gone}|taken back|go|end|stop|valid|work|over|switched off|gone)(?: working| being valid| now| any ?more)?", r"(?:take|pull|switch|turn) @link {name} (?:back|off|down)", r"<make> @link {name} (?:invalid|stop working|void)", rf"{gone} (?:<share>|@sharing) (?:under |via |by |of )?@(?:link )?{{name}}$",
        r"(?:nobody|no ?one) (?:should|may|can|must) (?:be able to )?(?:use|open|follow) @link {name}(?: any ?more| any longer)?",
    )
    if revoked is not None:
        return {"revoke": revoked}
    slots: Slots = {}
    r.join()
    given = name(r, rf"(?:and )?{_NAMED} {{name}}", r"\blink {name}(?= (?:to|for|on|pointing|leading|from) @\ue000)", r"\bas {x}", r"\bas {name}$", r"\b(?:link|it) as {name}")
    valid = r"(?:(?:,|and|which|that|is|be|are|it|valid|good|expires?|expiring|expire|for|in|after|within|lasts?|lasting|lives?|living|works?|working|until|till|through|to|up|only|the|next|remains?|stays?|stay|should|must|will|with|a|lifetime|life|validity|duration|period|of|open|usable|keep|active|alive|dies?|ends?|on|by|at|it's|no|longer|than|before|runs|out|stops|available|period|date|time|limited|expiry|expiration|temporarily|exactly|just) ?)*"
    found = r.take(rf"{valid}{{l}}(?:-?long| only| long| from now)?(?: (?:validity|lifetime))?")
    if found is not None:
        slots["for"] = r.value(found[0])
    found = r.take(rf"{valid}{{t}}")
    if found is not None:
        if "for" in slots:
            raise Missing("one end: a duration, or a time")
        slots["until"] = r.value(found[0])
    where = r.path()
    if given is not None:
        slots["name"] = given
    return {"PATH": where} | slots


_WHY = (
    r"(?:because|as|since|the reason (?:is|being)|reason:?|why:|for the reason|with the (?:reason|note|comment|remark|explanation|message)|stating|noting|saying|due to|on account of|giving|give|note|comment|for|explanation|with)(?: that| of| as| the| reason| is|:)* {q}",
    r"{Q}",
    r"(?:because(?: of)?|the reason (?:is|being)(?: that)?|reason:|due to|on account of|why:)(?: that)?:? {rest}",
)


def lock(r: Reading) -> Slots:
    slots: Slots = {}
    r.join()
    found = r.take(_WHY[0], _WHY[1]) if len(r.marks("fpd")) else None
    if found is not None:
        slots["why"] = r.value(found[0])
    long = r"(?:(?:,|and|for|the|next|during|over|within|in|lasting|keep|it|so|that|way|locked|a|period|of|full|whole|only|stay|stays|should|remain|coming|exactly|just|expires?|after|until|till|up|to|through|by|before|ending|ends?|on|at|lock|expiring|is|lifted|again|unlock) )*"
    found = r.take(rf"{long}{{l}}(?: from now| long| from today)?")
    if found is not None:
        slots["for"] = r.value(found[0])
    found = r.take(rf"{long}{{t}}")
    if found is not None:
        if "for" in slots:
            raise Missing("one end: a duration, or a time")
        slots["until"] = r.value(found[0])
    if "why" not in slots:
        found = r.take(_WHY[2])
        if found is not None:
            text = found[0].strip(" ,:;")
            if MARK.search(text):
                raise Missing("what it is locked for, in quotation marks")
            slots["why"] = r.plain(text)
    return {"PATH": r.path(why="which file or folder")} | slots


def unlock(r: Reading) -> Slots:
    r.join()
    return {"PATH": r.path(why="which file or folder")}


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
    turned = r.take(rf"({formats}) {{F}},? (?:out of|from|of|made from|based on) @{{F}}") if both is None and len(r.marks("fp")) == 2 else None
    if turned is not None:
        return {"PATH": r.value(turned[2]), "to": _FORMATS[turned[0].lower()], "into": r.value(turned[1])}
    r.drop(r"(?:from|out of) (?:pdf|html|markdown|md|docx|word|text|plain text)(?: format)?(?= (?:to|into) )", r"\b(?:pdf|html|markdown|docx|word|text) (?=\ue000[fp])")
    if both is not None:
        slots |= {"to": _FORMATS[both[0].lower()], "into": r.value(both[1])}
    elif len(r.marks("fp")) == 2:
        into = r.take(
            r"(?:(?:and|then|,|;|but|with) )*(?:<save store write put name call output keep> )?(?:(?:it|that|this|the|result|output|in|into|to|as|under|called|named|name|file|converted|resulting|goes|should|be|is|go|target|at|document|a|an|html|docx|markdown|md|txt|text|plain|word|page|new|,|-o|--into|with|call|path|by|of|which|end|up) )*(?:to|into|as|in|under|called|named|is|at|name|be|call it|>|-o|path|file|name it|,) @{F}$",
            rf"(?:to|into|as|>) @{{F}}(?= *(?:in|as|,|{CUT}))",
        )
        if into is None:
            raise Missing("which file is converted, and into which")
        slots["into"] = r.value(into[0])
    where = r.path(folder=False)
    found = None if "to" in slots else r.take(
        rf"(?:to|into|in|as|be|become|for|want|need|make|create|produce|out of it|of it|also|get|is|it) (?:(?:a|an|the|some|its|it|in|as|to|into|form of|format|proper|nice|clean|valid|simple|new|equivalent|corresponding) )*{what}",
        rf"(?:<make create produce generate give get need want export render write> )(?:me |us )?(?:(?:a|an|the|some|new) )*{what}",
        rf"(?:a|an|the|some|its|->|→|:) {what}", rf"{what}",
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
    others = [one for one in ("html", "docx", "markdown", "plain text", "word") if r.has(rf"(?:to|into|as|in|and|or|,) @?{one}\b") and _FORMATS[one] != slots["to"]]
    if others:
        raise Missing("one format")
    if "into" in slots and _FORMATS.get(slots["into"].rpartition(".")[2].lower(), slots["to"]) != slots["to"]:
        raise Missing("one format; the new file has another suffix")
    return {"PATH": where} | slots


def log(r: Reading) -> Slots:
    slots: Slots = {}
    since = r.take("(?:since|from|after|starting) {t}(?: on(?:wards)?)?")
    if since is not None:
        slots["since"] = r.value(since[0])
    limit = r.take("@(?:last|newest|latest|most recent|recent) {n}(?: (?:lines|entries|events|changes|things|items))?(?: (?:of|in|for|from))?")
    if limit is not None:
        slots["limit"] = r.value(limit[0])
    r.join()
    if r.marks("fpdq"):
        return {"PATH": r.path()} | slots
    if r.has(r"\b(?:everything|all|whole|here|complete|entire|lsfs|mount|tree|overall|anything|everywhere|full|log|history)\b") and not r.has(r"\b(?:it|this|(?<!all )(?<!everything )(?<!anything )that|file|document)\b"):
        r.take(rf"{_ALL}(?= |$)")
        return slots
    raise Missing("which file or folder")


def rollback(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    back = r.marks("b")
    if back:
        r.take(r"(?:by |to |back |of |from |as |in |it was |was |it had |take back |@)*{b}(?: (?:of|to|on|in))?")
        slots["versions"] = r.value(back[0])
    version = r.take(r"(?:to |back to |of |from |as of |at |in |use |make |restore |@)*{v}(?: of| from)?")
    if version is not None:
        slots["version"] = r.value(version[0])
    given = name(
        r, r"(?:to |from |with |in |at |of |as |it was |was |were |things were |looked |when |taken |(?:the )?(?:state|version|content) (?:of|in|from|at) |@)*snapshots? (?:named |called |taken as |labelled |with the name |by the name of )*{name}", r"(?:to |from |in |at |of |as |it was |was |looked |(?:state|version) (?:of|in|from) |@)*@{name} snapshot", r"snapshot.* {q}",
        *((r"(?:to|from|at) {Q}",) if r.said("snapshot") else ()),
    )
    if given is not None:
        slots["to"] = given
    time = r.take(
        r"(?:(?:to|back|as|of|on|at|from|the|its|state|version|content|contents|it|was|were|had|in|time|way|how|that|looked|like|things|they|date|day|point|moment|around|existed|before|stood|is|been|one|dated|which|valid|current|what|everything|exactly|condition|be|status|morning) )*{t}"
    )
    if time is not None:
        if "to" in slots:
            raise Missing("one state: a snapshot, or a time")
        slots["to"] = r.value(time[0])
    if len(slots) != 1:
        raise Missing("to which version, snapshot or time" if not slots else "one state only")
    if r.marks("fpdq"):
        return {"PATH": r.path(why="which file or folder")} | slots
    if "to" in slots and r.has(r"\b(?:everything|all|whole|entire|tree|complete)\b") and _whole(r):
        return {"PATH": "files"} | slots
    raise Missing("which file or folder")


def undo(r: Reading) -> Slots:
    if not r.has(r"\broll|\brestor|\brevert|\breset"):
        raise Missing("that the last rollback is meant; for one file, say how many versions back")
    if r.marks("fpdqvbtln"):
        raise Missing("no file: it takes the last rollback back, all of it")
    return {}


def undelete(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    if len(r.marks("fp")) == 2:
        target = r.take(r"(?:(?:and|but|,) )*(?:<put place name call save store restore> )?(?:it )?(?:as|to|under|at|into|in|is|be|called|named|name it|call it)(?: (?:the|new|name|path|place|file))* @{F}$")
        if target is not None:
            slots["as"] = r.value(target[0])
    return {"PATH": r.path()} | slots


def purge(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    if r.drop(r"(?:,|and|with|also|including|even|together with|as well as| )*@(?:live (?:file|copy|one|content)|file itself|live|current (?:file|copy|content|version)|(?:one|copy|file) (?:that is )?there (?:is )?now)(?: (?:too|as well|itself|included|also|there now))*"):
        slots["live"] = True
    if r.drop(r"(?:,|and|also|even|including| )*(?:everywhere(?: else)?|wherever (?:its|the same) (?:bytes|content) (?:is|are|occurs?|exists?)|@(?:other )?(?:files?|copies|versions)(?: of (?:it|other files))? (?:with|that have|having) the same (?:bytes|contents?))"):
        slots["everywhere"] = True
    return {"PATH": r.path()} | slots


def snapshot(r: Reading) -> Slots:
    dropped = name(r, r"<drop delete remove discard> @snapshot(?: (?:named|called))? {name}", r"<drop delete remove discard> @{name} snapshot")
    if dropped is not None:
        return {"NAME": dropped, "drop": True}
    given = name(
        r, rf"(?:and )?(?:{_NAMED}|tag(?:ged)?(?: it)?|label it|it|give it the name|with the label|labelled as|name|in|under) (?:as )?@(?:snapshot |name )?(?:named |called )?{{x}}",
        rf"@snapshots?,? (?:(?:and )?{_NAMED}|as|labelled|:|with|name|under) (?:the )?(?:name )?{{name}}", r"snapshots? {x}", rf"(?:and )?{_NAMED} (?:as )?(?:the )?(?:snapshot )?{{name}}", r"snapshot:? {name}", r"\bas @(?:snapshot )?(?:named |called )?{x}", r"\bas @(?:snapshot )?(?:named |called )?{name}$", r"@{name} snapshot", r"(?:snapshot|under|as|it) {name}$",
        r"(?:restore point|checkpoint)(?: (?:named|called))? {name}", r"{Q}$", r"\bas {name}(?=,)", r", {name}$", r"\b(?:now|state) {name}$",
    )
    if given is None:
        raise Missing("what the snapshot is called")
    return {"NAME": given}


def query(r: Reading) -> Slots:
    return {"PROMPT": _topic(r)}


_KEPT = (
    r"(?:question|query|search|prompt)s?(?: of mine)?(?: (?:about|for|on|regarding|concerning|into|that asks(?: about)?|called|named|of|asking|is))?:?",
)


def save(r: Reading) -> Slots:
    if len(r.marks("qp")) == 1:
        return {"PROMPT": _question(r)}
    r.drop(r"\b(?:in|to|on|onto|into) (?:the|my|our) (?:list(?: of (?:saved |my |all )?(?:questions|queries|searches))?|(?:saved )?(?:questions|queries|searches))(?=$| )", r"\b(?:for|until) (?:later|next time|future use|the future)$", r"\bas a (?:saved |standing )?(?:question|query|search)$", r"\bsaved\b")
    return {"PROMPT": r.topic(*_KEPT, why="which question")}


def forget(r: Reading) -> Slots:
    if len(r.marks("qp")) == 1:
        return {"PROMPT": _question(r)}
    r.drop(r"\b(?:off|from|out of) (?:the|my|our) (?:list(?: of (?:saved |my |all )?(?:questions|queries|searches))?|(?:saved )?(?:questions|queries|searches))(?=$| )", r"\b(?:any ?more|any longer)$", r"\b(?:saved|stored|kept)\b")
    return {"PROMPT": r.topic(*_KEPT, why="which question")}


def nothing(r: Reading) -> Slots:
    if r.marks("fpdqvbtln"):
        raise Missing("nothing else")
    return {}


def scan(r: Reading) -> Slots:
    r.join()
    if r.marks("fpdq"):
        return {"PATH": r.path()}
    if not r.has(r"\b(?:everything|all|whole|entire|changes?|changed|mount|rescan\w*|tree|files|behind|outside|again|now)\b|^(?:<run do start> @)?(?:full |complete |new )*(?:re-?)?scan$"):
        raise Missing("which file or folder")
    r.take(rf"{_ALL}(?= |$)")
    return {}


SLOTS: dict[str, Callable[[Reading], Slots]] = {
    "create": create, "get": get, "append": append, "replace": replace, "delete": delete, "touch": touch, "keywords": keywords, "semantic": semantic, "integrated": integrated,
    "group": group, "join": join, "combine": combine, "compare": compare, "watch": watch, "summarise": summarise, "link": link, "lock": lock, "unlock": unlock, "translate": translate,
    "log": log, "rollback": rollback, "undo": undo, "undelete": undelete, "purge": purge, "snapshot": snapshot, "query": query, "save": save, "forget": forget, "status": nothing,
    "scan": scan, "rebuild": nothing,
}  # fmt: skip


def filled(word: str, said: Said) -> tuple[Slots, Reading]:
    """What a call is given by a sentence, and what nobody took. Raises Missing."""
    reading = Reading(said)
    return SLOTS[word](reading), reading
