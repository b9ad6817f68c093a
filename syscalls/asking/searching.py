"""searching: the slots of query, semantic, keywords, integrated, combine, summarise, save and forget: what is looked for."""

import re

from syscalls.asking.conditions import expression
from syscalls.asking.masks import Said
from syscalls.asking.patterns import CUT, pattern
from syscalls.asking.reading import Missing, Reading
from syscalls.asking.saying import ABOUT, ON, Slots, question


def keywords(r: Reading) -> Slots:
    slots: Slots = {}
    grep = r.take(
        r"^grep(?: -\w+)* (?:for )?({q}|[\w-]+) (?:(?:in|under|within|inside|through) )?({f}|(?<=in )(?!the\b|my\b|our\b|all\b|it\b|any\b)[\w-]+)$"
    )
    if grep is not None:
        sought = Reading(Said(f"contain {grep[0]}", tuple(r.things), False))
        return {"EXPRESSION": expression(sought), "in": r.plain(grep[2])}
    place = r.scope() if r.marks("fd") else None
    if place is None:
        place = _bare_folder(r)
    if place is not None:
        slots["in"] = place
    return {"EXPRESSION": expression(r)} | slots


def _bare_folder(r: Reading) -> str | None:
    found = r.take(
        r"(?:files|documents|docs|everything|anything|stuff|papers|notes|look|search|all) (?:in|under|below|inside|within) (?:my )?(?!the\b|which\b|total\b|there\b|here\b|my\b|our\b|full\b|a\b|an\b|any\b|all\b|meaning\b|english\b)([\w-]+)(?= (?:that|which|with|containing|for|mention|contain|where|whose|<contain mention>))"
    )
    if found is None:
        found = r.take(
            rf"(?:files|documents|docs|everything|anything|stuff|papers|notes|those|ones|hits|results),? (?:in|under|below|inside|within|from) (?:my |the )?{_BARE}(?= (?:about|on|that|which|with|containing|for|mention|contain|where|whose|come|are|is|most|closest|nearest|best|related|relevant|similar|dealing|<contain mention include concern discuss cover deal treat>|say|says))",
            rf",? (?:in|under|below|inside|within|from) (?:my |the )?{_BARE} only\b,?",
            rf",? (?:but )?only (?:in|under|below|inside|within|from) (?:my |the )?{_BARE}(?=$|,)",
            rf"^(?:in|under|below|inside|within|from|among files (?:in|under)) {_BARE}[:,]",
            rf"(?<=[\ue100-\ue8ff]) (?:under|below|inside|within) {_BARE}$",
            rf"^(?:search|grep|comb|scan|query|look|go|check) (?:through |in )?(?:the )?{_FOLDERLIKE}(?= for (?:the |a |all |any )*(?:words?|strings?|phrases?|terms?|expressions?|names?|keywords?|files|documents)\b)",
        )
    return found[0] if found else None


_FOLDERLIKE = r"(?!(?:files?|everything|all|documents|docs|papers|notes|my|our|the|it|here|there|around|up|semantically|again|out|anything|disk|mount|tree|texts?|contents?|keywords?|words?)\b)([\w-]+)"
_BARE = r"(?!(?:the|which|total|there|here|my|our|full|a|an|any|all|meaning|english|german|french|general|particular|common|short|brief|order|it|them|this|that|these|those|question|detail|context|more|addition|best|our|what|whatever|everything|everybody|somebody|\d+)\b)([\w-]+)"
_K = (
    r"(?:(?:the|just|only) )+(?:top|best|nearest|closest)[ -](?:result|hit|match)(?= (?:for|on|about|to))",
    r"(?:(?:the|just|only) )*(?:single|one)(?= (?:file |document |paper |note )?(?:that (?:is )?)?(?:best|most|closest|nearest|comes closest|comes nearest))",
    r"(?:(?:for|the|its|just|only|exactly|at most|up to|no more than|a maximum of|maximum|max|around|give me|with|limit(?:ed)? (?:it |the (?:list|result|results|answer) )?to|k ?=?|show) )*(?:top|best|first|nearest|closest|limit(?:ed)?|leading|most)[ -]{n}",
    r"(?:(?:for|the|its|just|only|exactly|at most|up to|no more than|a maximum of|maximum|max|around|limit(?:ed)? (?:it |the (?:list|result|results|answer) )?to|k ?=?) )*{n}(?= (?:of )?(?:[\w-]+,? ){0,4}?(?:files?|docs?|documents?|papers?|notes?|results?|hits?|texts?|articles?|best|most|closest|nearest|top|items|entries|things|matches|ones|pages|pieces|reports?|them|those|is|are|will|max|of)\b)",
    r"(?:top|best|first|nearest|closest|limit(?:ed)? to|limit|at most|up to|no more than|maximum|max|k ?=?|only|just) {n}(?: (?:of them|results?|files?|hits?))?",
    r"\bk ?= ?{n}:?",
    r"{n}(?: (?:of them|results?|files?|hits?|is enough|are enough|will do|max|at most|suffice))?$",
)


def _k(r: Reading) -> Slots:
    found = r.take(*_K)
    if found == ():
        return {"k": "1"}
    return {"k": r.value(found[0])} if found is not None else {}


def semantic(r: Reading) -> Slots:
    slots = _k(r)
    slots |= _scoped(r)
    if "k" not in slots:
        slots |= _k(r)
    return {"PROMPT": _topic(r)} | slots


def _scoped(r: Reading) -> Slots:
    place = r.scope() if r.marks("fd") else None
    if place is None:
        place = _bare_folder(r)
    return {"in": place} if place is not None else {}


def _topic(r: Reading) -> str:
    r.drop(
        r"\b(?:semantically|in meaning(?! (?:to|with))|by meaning|(?:by|in|in terms of|of|judged by|according to) (?:its |their |the )?(?:meaning|relevance)(?! (?:to|for))|best first|closest first|nearest first|most relevant first|(?:with )?the (?:best|closest|nearest|most relevant)(?: ones?)? first)\b"
    )
    r.drop(r"\b(?:are|is)$")
    quoted = r.marks("q") or r.marks("p")
    if len(quoted) == 1:
        mark = quoted[0]
        r.text = r.text.replace(mark, f" {CUT} ", 1)
        return r.subject(mark)
    return r.topic(
        *ABOUT,
        *ON,
        r"^(?:<search look hunt ask dig> (?:(?:through|in|all|my|the|our|files|documents|everything|me|up|out|around|for|notes) )*for|<query>)(?: @(?:files|documents|papers|notes|anything|everything))?(?: on| about)?",
        r"^(?:<find get list show retrieve give locate fetch> )(?:me |us )?(?:@)?(?:best |most relevant )*(?:files|documents|papers|notes|hits|results|matches)(?: on| about| for| of)",
        r"^find out",
        r"(?:files|documents|docs|papers|notes|hits|results|matches)(?= *:)",
        r"^<look> up",
        r"(?:which|what|any) (?:files?|documents?|notes?|papers?) (?:says?|tells?(?: me| us)?|explains?|describes?|shows?)",
        r"^<search>",
        r"\bon",
        r"\b(?:meaning|mean)",
        r"\bfor",
        rf"[{CUT}] *:",
    )


def integrated(r: Reading) -> Slots:
    slots = _k(r)
    slots |= _scoped(r)
    if "k" not in slots:
        slots |= _k(r)
    ranked = r"(?:(?:and|then|,|but|by|in|are|be|with|that|which|most|best|closest|nearest|more|first|to|the|those|ones|them|it|results?|also|of|according|their|its|files|put|come|coming|at|top|how|well|closely|they|each|is|whatever|only|if|what|give|me|pick|keep|choose|starting|find|(?:<rank sort order list show>)) ?)*"
    quoted = r.marks("qp")
    inside = r.take(
        r"^(?:<search look grep find> )(?:for )?@(?:word |string |term |phrase )*{q} (?:in|among|within|inside|across) @(?:files|documents|docs|papers|notes|ones|everything|texts|reports) (?:about|on|concerning|regarding|related to|dealing with) {rest}"
    )
    if inside is not None:
        sought = Reading(Said(f"contain {inside[0]}", tuple(r.things), False))
        return {"WORDS": expression(sought), "PROMPT": r.subject(inside[1])} | slots
    topic = None
    cues = [
        *ABOUT,
        r"(?:files?|documents?|docs|papers?|notes|ones|those|anything|everything|results?|articles?|texts?|material|reports?|stuff) on",
        r"on",
        r"(?:whose|with|as) (?:the )?(?:subject|topic|theme) (?:is|of)",
        r"with (?:regard|respect) to",
        r"meaning:?",
        r"^(?:semantic )?search for",
        r"<rank sort order> (?:\w+ ){0,3}(?:for|by|on)",
        r"\bby(?: relevance to)?",
        r"(?:best|closest|nearest|top)(?: matches| hits| ones| match)? (?:for|to|on)",
    ]
    for cue in cues:
        found = r.take(
            rf"{ranked}\b{cue}:? {{q}}",
            rf"{ranked}\b{cue}:? {{some}}(?=,? (?:<mention contain include use say>|have|has|among|that|which|and|but|with|where|in which|whose|if they|as long as|containing|mentioning|having|including|using|among|provided|must|they must|only|they should|restricted|limited|from|out of|of)\b.*(?:<contain mention include appear occur use>|containing|mentioning|words?|phrase|terms?|keywords?|{{q}})|\s*{CUT}|\s*$|\s*[,;:])",
        )
        if found is not None:
            topic = r.subject(found[0])
            break
    if topic is None:
        raise Missing("what it is about")
    if (
        len(quoted) > len(r.marks("qp"))
        and not r.marks("qp")
        and len(quoted) == 1
        and not r.has(r"<contain mention include> |\bwords?\b|\bkeywords?\b|\bphrase\b|\bterms?\b")
    ):
        raise Missing("which words have to occur")
    return {"WORDS": expression(r), "PROMPT": topic} | slots


_ONLY = r"\bnothing to do with\b|\bunrelated to\b|\bbut isn't\b|\b(?:but|and|yet|,) (?:just |only )?(?:not|never|no|nothing|none|without|neither)\b|\bbut\b.*\bnot\b|\bwithout\b|\bminus\b|\bexcept\b|\bexclud\w+\b|\bexcluding\b|\b(?:apart|aside) from\b|\bleav(?:e|ing) out\b|\bomit\w*\b|\bnot\b|\bsubtract\w*\b|\bonly (?:of |in |for |to )?the first\b|\bother than\b|\bset difference\b|\bdifference\b|\bunless\b|\bdiscard\w*\b|\bremov(?:e|ing)\b|\bfilter(?:ing)? out\b|\bfilter\b.*\bout of\b|\bskip(?:ping)?\b|\brather than\b|\bdrop(?:ping)?\b|\btake away\b|\bless\b|\bdon't\b|\baren't\b|\bdoesn't\b|\bisn't\b"


_EITHER = r"^merged?\b|\bpool\w*\b|\beither\b|\bor\b|\bunion\b|\bany of\b|\bat least one\b|\bone of\b|\bunite\w*\b|\btogether(?! with)\b|\balternatively\b|\ball of either\b"


_BOTH = r"\bboth\b|\band\b|\bintersect\w*\b|\bcommon\b|\boverlap\w*\b|\bas well as\b|\bat the same time\b|\bat once\b|\bsimultaneously\b|\balso\b|\bshared?\b|\bwhile\b|\btogether with\b|\balong with\b|\bcombined with\b"


_FILES = r"@(?:files|documents|docs|papers|notes|results|reports|articles|texts|stuff|ones|everything|anything|whatever|what)(?: that| which)?(?: is|'s| are)?"
_OF = r"(?:about|on|regarding|concerning|related to|relating to|dealing with|to do with|covering|discussing)"
_TWO = (  # (how, a sentence that has its first question at the beginning of another, whether that is the second one)
    ("both", rf"^(?:among|amongst|of|out of|from) (?:all )?{_FILES} {_OF} {{some}}, (?:(?:<show list find give get tell pick select>|me|only|just|i want|i need|which) )*(?:those|the ones|the files|files|ones|ones that|which)?(?: (?:that|which))?(?: are| is)?(?: also)? {_OF} {{rest}}", False),
    ("only", rf"^(?:leaving (?:aside|out)|excluding|except for|apart from|ignoring|without|not counting|setting aside|disregarding) {_FILES} {_OF} {{some}}, (?:(?:<show list find give get tell>|me|which|what|all|the|i want|i need|do we have|is there) )*(?:files|documents|papers|notes|everything|anything|stuff|what)?(?: (?:that|which))?(?: are| is|'s)?(?: there)? {_OF} {{rest}}", True),
)  # fmt: skip


def combine(r: Reading) -> Slots:
    slots = _scoped(r)
    how = next((wanted for wanted, text, _ in _TWO if r.has(text)), None)
    how = how or (
        "only" if r.has(_ONLY) else "either" if r.has(_EITHER) else "both" if r.has(_BOTH) else None
    )
    r.drop(r" (?:at once|at the same time|simultaneously)$")
    r.drop(r"[,:]? ?\(?\beither (?:one|is fine|will do|way|of (?:them|the two))\)?(?= *(?:$|,|\uf8fe))")
    r.drop(r",? (?:will|would) do$|,? (?:is|are) (?:fine|enough)$")
    if how is None:
        raise Missing("whether both, either, or only the first")
    quoted = r.marks("qp")
    if len(quoted) == 2:
        first, second = quoted
        if r.has(
            rf"(?:<subtract remove exclude drop take discard filter leave omit> )(?:away |out )?(?:(?:(?:the|a|an|my|our|your|their|its|this|that|these|those|all|any|every|each|some|files|results?|hits|answers|ones|question) |of |to |for |that answer |about |from |which answer |whatever answers |everything )*){re.escape(first)}.*\b(?:from|out of)\b.*{re.escape(second)}"
        ):
            first, second = second, first
        for mark in quoted:
            r.text = r.text.replace(mark, f" {CUT} ", 1)
        r.drop(_ONLY, _EITHER, _BOTH)
        return {"A": r.subject(first), "B": r.subject(second), "how": how} | slots
    if len(quoted) == 1:
        raise Missing("two questions")
    for wanted, text, turned in _TWO:
        found = r.take(text)
        if found is not None:
            first, second = r.subject(found[0]), r.subject(found[1])
            if re.search(r"\b(?:and|or|but|not|without)\b", f"{first} {second}", re.I):
                raise Missing("two questions, in quotation marks")
            r.drop(_ONLY)
            return (
                ({"A": second, "B": first} if turned else {"A": first, "B": second}) | {"how": wanted} | slots
            )
    about = r"(?:@(?:files|documents|ones|those|papers|results|stuff|everything|anything|things|notes) )?(?:(?:that|which) (?:are |is |also )?)?(?:also |(?:actually )?(?:concern|discuss|mention|cover|treat)(?:s|ing)? |about |on |of |regarding |for |to |related to |relating to |dealing with |the (?:topic|subject) |answering |to do with |deals? with |anything |those |what(?:ever)?(?: is|'s) |with |is |are )*"
    split = {
        "only": rf"{{some}},? (?:but|and|yet|though|while|just|only)?,? ?(?:without|minus(?: what(?:ever)?(?: is|'s)?)?|except(?: for)?(?: what(?:ever)?(?: is|'s)?)?|exclud\w+|leav(?:e|ing) out|omit\w*|other than|(?:apart|aside) from|(?:is |are |have |has |do |does |also |that |which |they |it )*(?:not|never|nothing|none|no|don't|doesn't|aren't|isn't)(?: if)?|unless|skip(?:ping)?|drop(?:ping)?|rather than|less)(?: any(?:thing)?| they're| it's| those| the ones| ones| files| have| deal| with| something| to do with| be| being| it is| they are| mention| touch on)* {about}{{rest}}",
        "either": rf"{{some}},? (?:or(?: else)?(?:,? alternatively,?)?|and|as well as|together with) (?:also |else |alternatively )?{about}{{rest}}",
        "both": rf"{{some}},? (?:and(?: at the same time| simultaneously| also)?|(?:that|which) also|as well as|together with|along with|combined with|while also|but also|with|intersected with|plus) {about}{{rest}}",
    }[how]
    starts = (
        rf"(?:both|either|union of|intersection of|overlap (?:of|between)|at least one of|one of|any of|results? (?:of|for)|difference (?:of|between)) (?:the )?(?:results? (?:of|for) |questions? |files |topics )?{about}",
        rf"(?:about|regarding|concerning|related to|on the (?:topic|subject) of|dealing with|deals? with|to do with|discuss(?:es|ing)?|concerns?|cover(?:s|ing)?|answer(?:s|ing)?|relating to|treat(?:s|ing)?|touch(?:es|ing)? on|(?:most )?(?:relevant|related|close) to) (?:both |either |the )?(?:questions? )?{about}",
        r"(?:files|papers|documents|notes|anything|everything|stuff|articles|material|texts|results|what(?: do)? (?:i|we) have|what(?:'s| is) there|those|reports) (?:on|for|of|that) (?:both |either )?",
        r"^(?:<intersect unite combine>) @(?:results? (?:of|for) )?",
        r"\b(?:on|for) (?:both |either )?",
    )
    shown = r"(?:[:,?.–—-]+ (?:(?:which|what|show|list|find|i'll|i want|i need|give|any|files|documents|search|get|return|need)\b.*\b(?:both|either|two|these|those|them|any|that|one|concern|cover|it)\b.*|files|documents|files please))$"
    for start in (rf"^(?:both |either )?(?={{some}}{shown})", *starts):
        found = r.take(start + split)
        if found is not None and start.startswith("^(?:both "):
            found = (found[-2], re.sub(pattern(shown), "", found[-1]))
        if found is not None:
            first, second = r.subject(found[-2]), r.subject(found[-1])
            inner = r"\b(?:and|or|but|not|without)\b"
            if re.search(inner, first, re.I) or re.search(inner, second, re.I):
                raise Missing("two questions, in quotation marks")
            second = re.sub(
                r"(?:,? (?:at the same time|as well|too|alike|simultaneously|at once|in common|together|alone|though|either|both))+$",
                "",
                second,
                flags=re.I,
            )
            r.drop(_ONLY, _EITHER, _BOTH)
            return {"A": first, "B": second, "how": how} | slots
    raise Missing("two questions, in quotation marks")


def summarise(r: Reading) -> Slots:
    slots: Slots = {}
    no_llm = (
        r"(?:(?:but|and|please|do it|,|so) )*(?:without|with no|not using|no|don't use|do not use|never use|don't ask|do not ask|not with|not by|skip(?:ping)?|avoid(?:ing)?|don't involve|do not involve|leave out|leaving out|keep|keeping|not|don't let|do not let)"
        r" (?:(?:the|an|a|any|using|use|of|help|asking|involving|calling|from|for|this|it) )*(?:llms?|language models?|large language models?|ai|ai models?|chatbots?|model)(?: (?:for (?:it|this|that)|out of it|write it|involved|do it|out|touch it))?",
        r"\bllm[- ]free\b",
        r"\bextractive(?:ly)?\b",
        r"\bno[- ]llm\b",
        r"in (?:the|their) (?:files'|files|own) (?:own )?(?:words|sentences)(?: only)?",
        r"with the (?:llm|language model) (?:switched |turned )?off",
    )
    r.drop(
        r"[?.!;,] ?(?:just |only |in short[?.,]? ?)*(?:(?:a |the )*(?:short |brief |quick )*(?:summary|overview|gist|tl;?dr|summarise|summarize|sum (?:it |that )?up|digest|short version|recap)(?: (?:will do|is enough|is fine|would do|suffices|it|that|them|this|is all i need|wanted|needed))?)$"
        if r.has(r"\b(?:about|on|regarding|concerning)\b.*[?.!;,]")
        else r"(?!)",
        r",? in short[?]?(?=$|[?,.])",
    )
    told = r.take(
        r"(?:what|everything|all)(?: is said| there is)? (?:that )?@{f}(?:'s files)? (?:says?|has to say|have to say|tells? us|tells|contains?|has|know|knows|holds?)(?= (?:about|on|regarding|concerning))"
    )
    if told is not None:
        slots["in"] = r.value(told[0])
    whole = r.take(
        r"(?:what|everything|all)(?: that)? (?:is|there is|stands|lies|lives|we have|i have) (?:in|below|under|inside) @{d}(?= (?:about|on|regarding|concerning)\b)",
        r"(?:<summarise summarize condense>|<sum> up)(?: only| just)? @{d}",
    )
    if whole is not None:
        slots["in"] = r.value(whole[0])
    if r.drop(*no_llm):
        slots["no-llm"] = True
    found = r.take(
        r"(?:(?:in|into|with|using|of|at|most|no|more|than|up|to|down|only|just|exactly|about|around|a|the|make|it|max(?:imum)?|keep|limit|limited|not|fewer|under|within|that|has) )*{n}(?:[ -](?:\w+ )?(?:sentences?))(?: (?:at most|max|maximum|or (?:less|fewer)|long|only|each))?"
    )
    if found is not None:
        slots["sentences"] = r.value(found[0])
        if r.has(r"\b(?:about|on|regarding|concerning)\b.*[?.!;]"):
            r.drop(
                rf"[?.!;] ?(?:please )?(?:<summarise summarize condense>|<sum> (?:it |that |them )?up|<answer>)(?: it| that| them| this)?[ {CUT}]*$"
            )
    elif r.drop(r"\b(?:one|single)[- ]sentence\b(?= (?:summary|overview|gist|digest|recap|synopsis))"):
        slots["sentences"] = "1"
    r.drop(
        r"(?<=\w) (?:in|across) (?:our|my) (?:files|notes|documents|docs|papers|reports|mails|archive|collection)$"
    )
    slots |= _scoped(r)
    r.drop(
        r"(?:(?:and|then|,|to) )+(?:<summarise summarize condense>|sum|give|write|make|boil)(?: (?:me|us|up|a|short|brief|the|them|it|those|these|of|results?|what|they|say|summary|overview|down|all|for))*(?= |$)"
        if r.has(r"^(?:<retrieve find get collect gather search look take fetch read pull go>)")
        else r"(?!)"
    )
    r.drop(r",? (?:briefly|shortly|in short|in brief|in a nutshell|concisely)(?= |$)")
    topic = question(
        r,
        r"(?:files?|documents?|docs|papers?|notes|articles?|texts?|material|reports?|everything|anything|literature|information|all|results|findings|evidence|insights|research|discussions?|knowledge|we have|is known) on",
        r"(?:say|says|tell|tells|tell us|state|report|know|have|contain|wrote|written|writing)(?: to say| me| us)? (?:about|on|regarding|concerning)",
        r"(?:with (?:respect|regard) to|as regards|when it comes to)",
        *ABOUT,
        *ON,
        r"(?:to|for) the question",
        r"(?:summary|overview|brief|gist|digest|recap|synopsis|rundown|essence|briefing|tl;?dr|key points|main points)(?: of| on| for|:)?(?: (?:what|everything|all|the files|my files|files|papers|notes|documents))*(?: on| about)?",
        r"<summarise summarize outline condense>(?: up| down)?(?: everything| all| the files| what there is| what we have)?(?: on| for)?",
        r"\bsum up",
        r"\bon",
        r"^<look> up",
        r"^<search find get> (?:for )?",
    )
    if topic in [thing.value for thing in r.things if thing.kind in "fd"]:
        raise Missing("which question the files are asked")
    return {"PROMPT": topic} | slots


def query(r: Reading) -> Slots:
    return {"PROMPT": _topic(r)}


_KEPT = (
    r"(?:question|query|search|prompt)s?(?: of mine)?(?: (?:about|for|on|regarding|concerning|into|that asks(?: about)?|called|named|of|asking|is))?:?",
)


def save(r: Reading) -> Slots:
    if len(r.marks("qp")) == 1:
        return {"PROMPT": question(r)}
    found = r.take(
        r"^(?:<save keep remember bookmark store pin add put make hold register record> ){some},? (?:as|to|in|on|onto|among|into) (?:a |an |one of |my |the |our )*(?:list of )?(?:saved |standing |stored )*(?:questions?|quer(?:y|ies)|search(?:es)?|list)\b(?: list)?$"
    )
    if (
        found is not None
        and not r.has(r"x^")
        and not re.match(r"(?:the |this |my |a )?(?:following )?(?:question|query|search)\b", found[0], re.I)
    ):
        return {"PROMPT": r.subject(found[0], "which question", strict=False)}
    if found is not None:
        r.text = r.whole
    r.drop(
        r"\b(?:in|to|on|onto|into) (?:the|my|our) (?:list(?: of (?:saved |my |all )?(?:questions|queries|searches))?|(?:saved )?(?:questions|queries|searches))(?=$| )",
        r"\b(?:for|until) (?:later|next time|future use|the future)$",
        r"\bas a (?:saved |standing )?(?:question|query|search)$",
        r"\bsaved\b",
    )
    r.drop(r"\bkept$")
    return {"PROMPT": r.topic(*_KEPT, why="which question", strict=False)}


def forget(r: Reading) -> Slots:
    if len(r.marks("qp")) == 1:
        return {"PROMPT": question(r)}
    found = r.take(
        r"^(?:<drop remove delete take strike erase forget cross clear kick> ){some},? (?:from|off|out of) (?:my |the |our )(?:list of )?(?:saved |stored )?(?:questions|queries|searches|list)$"
    )
    if found is not None and not re.match(
        r"(?:the |this |my |a )?(?:saved |stored )?(?:question|query|search)\b", found[0], re.I
    ):
        return {"PROMPT": r.subject(found[0], "which question", strict=False)}
    if found is not None:
        r.text = r.whole
    r.drop(
        r"\b(?:off|from|out of) (?:the|my|our) (?:list(?: of (?:saved |my |all )?(?:questions|queries|searches))?|(?:saved )?(?:questions|queries|searches))(?=$| )",
        r"\b(?:any ?more|any longer)$",
        r"\b(?:saved|stored|kept)\b",
    )
    return {"PROMPT": r.topic(*_KEPT, why="which question", strict=False)}
