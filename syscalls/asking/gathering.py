"""gathering: the slots of group and join: several files as one thing."""

import re

from syscalls.asking.patterns import CUT
from syscalls.asking.reading import SUFFIX, Missing, Reading
from syscalls.asking.saying import ABOUT, NAMED, ON, STOP, Slots, counted, name, question

_BY = {
    "topic": "topic", "topics": "topic", "subject": "topic", "subjects": "topic", "theme": "topic", "themes": "topic", "what they are about": "topic", "type": "type", "types": "type", "file type": "type",
    "file types": "type", "kind": "type", "kind of file": "type", "type of file": "type", "extension": "type", "file extension": "type", "file format": "type", "format": "type", "filetype": "type", "month": "month", "months": "month",
    "folder": "folder", "folders": "folder", "directory": "folder", "directories": "folder", "author": "author", "authors": "author", "writer": "author", "who wrote them": "author", "who wrote it": "author", "their author": "author",
    "subject matter": "topic", "suffix": "type",
}  # fmt: skip


_GROUP_TAIL = (
    *ABOUT,
    *ON,
    r"(?:^<group sort arrange organise organize>|results? (?:of|for)|answers? (?:to|of)|hits (?:of|for)|answer|question|query|matches (?:of|for)|everything|whatever) (?:@(?:question|query|search) )?",
    r"\bfor",
)


_BELONGS = r"\b(?:belongs?|goes|(?:should|must|shall|can) (?:all )?(?:go|come)|(?:is|are) to go|have to go|has to go)(?= (?:in|into|to|under)\b)"


def group(r: Reading) -> Slots:
    dropped = name(
        r,
        r"@(?:live )?group(?: named| called)? {name} (?:isn't|is not|is no longer|can|should|may|must)(?: be| now)? (?:needed|wanted|dropped|deleted|removed|dissolved|go)(?: any ?more| any longer)?,?(?: (?:so |please )*<drop remove delete dissolve> it)?",
        rf"<drop dissolve remove delete disband forget discard cancel erase end ungroup unmake scrap dump abolish close retire break> (?:up |about )?@(?:live |saved |named )*group(?: (?:{NAMED}))? {{name}}",
        r"<drop dissolve remove delete disband forget discard cancel erase> @{name} group",
        r"<get> rid of @(?:live )?group(?: (?:named|called))? {name}",
        rf"group(?: (?:{NAMED}))? {{name}} (?:is|can|should|may)(?: be)? (?:no longer|not|<drop remove delete dissolve>|go|needed).*",
        r"<get> rid of @{name} group",
        rf"(?:(?:we|i)(?:'re|'m| are| am)? )?(?:done|finished|through) with @(?:live )?group(?: (?:{NAMED}))? {{name}}(?:,? (?:(?:so|please|and|you can|you may) )*(?:<drop remove delete dissolve> it|<get> rid of it))?",
        rf"(?:nobody|no ?one|none of us) (?:needs?|uses?|wants?) @(?:live )?group(?: (?:{NAMED}))? {{name}}(?: any ?more| any longer)?(?:,? (?:(?:so|please|and) )*<drop remove delete dissolve> it)?",
        r"^<ungroup> (?:@group )?{name}$",
        r"<drop dissolve remove delete disband forget discard> {name},? the group",
        r"<unmake scrap disband ditch lose nuke> @group {name}",
        r"(?:don't|do not|no longer) need @(?:live )?group(?: (?:named|called))? {name}(?: any ?more| any longer)?",
    )
    if dropped is not None:
        r.drop(r"^(?:i|we)$")
        return {"NAME": dropped, "drop": True}
    r.drop(_BELONGS)
    by = "|".join(sorted(_BY, key=len, reverse=True))
    slots: Slots = {}
    found = r.take(
        rf"(?:(?:in|into|and|then|->|=>|→|group(?:ed|s)?|sort(?:ed)?|them|those|it|split|up|cluster(?:ed)?|arrange[d]?|organi[sz]ed?|one|piles|buckets|categories|sections|a|with|broken|down|divided|put) )*(?:by|per|according to|based on|depending on|on the basis of) @(?:their |its )?({by})\b(?! (?:of )?\ue000)",
        rf"(?:one|a) group (?:for each|per|for every) ({by})",
        rf"(?:in|into) @(?:different |separate |several |single |groups of |groups by )*({by})$",
        rf"(?:for|in) (?:each|every) ({by})",
    )
    if found is not None:
        slots["by"] = _BY[found[0].lower()]
        r.drop(
            rf"^(?:how (?:are|is|do)|(?:which|what|how many) (?:{by}) (?:do|are|have|does))\b",
            rf"\b(?:are |is )?(?:spread|distributed|scattered|divided|split|fall|falls)(?: out)? (?:over|across|among|by|into|in)(?: @(?:different |several )?(?:{by}))?(?= *(?:$|[?.,;:{CUT}]))",
            rf",? ?\b(?:clustered|grouped|sorted|split|arranged|organi[sz]ed|bucketed|divided|separated)(?: up)?(?= *(?:$|{CUT}))",
            r"(?:and |then |, ?)+(?:<group sort arrange cluster split organise organize order>) (?:them|those|it|the (?:files|results|hits))",
            r"\b(?:in|into) (?:groups|piles|buckets|categories)\b",
        )
    if r.drop(
        r"(?:(?:as|using|use|with|by|make|only|just|of|put|create|place|collect|,|in the form of|but) )*(?:symbolic |sym|soft )?-?links?(?: (?:instead of|rather than|not|and not|in place of|,? no) (?:copies|copying|a copy|the files themselves|copy))?(?: (?:to|for|of|only))?(?! {name} to)"
    ):
        slots["links"] = True
    r.drop(r",? ?(?:no|not|instead of|rather than|without making) (?:copies|copying)")
    into = r.take(
        r"(?:in|into|to|inside|under|within) @(?:(?:brand[ -])?new |fresh |separate |single |own |one )*{f}",
        r"<fill create make> @(?:(?:brand[ -])?new |fresh )*{d}(?: (?:with|from|of|that (?:holds|contains|has|with)|holding|containing))?",
        r"@(?:new )?{d}",
    )
    if (
        into is None
        and "by" not in slots
        and r.has(r"^(?:<copy collect gather place stash>|<put> (?:copies|links))")
    ):
        bare = r.take(r"(?:into|to|in) ([\w-]+)$")
        into = (r.put("d", bare[0], bare[0]),) if bare is not None and bare[0].lower() not in STOP else None
    if into is not None:
        slots["into"] = r.value(into[0])
        if into[0][1] != "d" and SUFFIX.search(slots["into"]):
            raise Missing("the new folder that they go into")
        r.drop(r"\b(?:as )?(?:copies|a copy)\b(?: of)?")
    if not {"by", "into"} & set(slots):
        given = None
        if (
            r.has(
                r"^<name call dub label christen> @(?:\w+ ){0,2}(?:files|set|collection|group|lot|bunch|documents|everything)"
            )
            and len(r.marks("q")) == 1
        ):
            given = name(r, "{Q}(?: as @(?:live )?(?:group|set))?")
            r.drop(r"^<name call dub label christen> @(?:set|collection|group|lot|bunch)(?: of)?")
        given = given or name(
            r,
            r"(?:under|as|into|in|with) @(?:(?:new|live|common|shared|one|single) )*(?:group |set |collection )?(?:name|title|label|heading|names)(?: of)? {name}",
            r"(?:(?:and|then|,|;|please) ?)*<call name label dub title> @(?:new |whole )?(?:group|set|collection|lot|result|bunch):? {name}$",
            r"(?:(?:and|then|,|;) ?)*@(?:group|group name|name|its name) (?:is|should be|shall be|will be|to be|must be)(?: to be)?(?: called| named)? {name}$",
            r"(?:form|be|become|make up) @group {name}",
            r"^@(?:new |live )*group[:=]? {name}(?=[:;,])",
            r"^(?:<give assign> )@(?:group )?name {name} to",
            r"^{name} = (?:@group|group)",
            r"<let> {name} be @group",
            r"(?:<set> up|<make create define build>) {name} as (?:a |the )?(?:new |live )*group",
            rf"(?:(?:in|into|as|to|make|create|define|set up|build|start|form|them) )*@(?:new |live |always current |named |dynamic |up-to-date |single |self-updating |standing |running |permanent |persistent |ongoing )*group,? (?:(?:and )?{NAMED}) {{name}}",
            r"(?:(?:in|into|as) )@(?:new |live |named |dynamic )*group {name}",
            rf"(?:and )?{NAMED} @(?:live )?(?:group )?{{name}}",
            r"(?:under|as|into) @(?:new |live |named )*(?:group )?(?:called |named )?{x}",
            r"(?:in|into|as) @(?:new |live )*{name} group",
            r"@(?:new |live )*group {name}(?= (?:of|for|with|from|that|which|to|about|on|as|should|be|is|hold|:|=|holding|containing|out))",
            r"\bas {name}$",
            r"\bas {name}(?= )",
            r"group: {name}",
            r"@{name} group",
        )
        if given is None and r.has("^<name call> .*{Q}"):
            given = name(r, "{Q}(?: and <keep make> (?:that|the|it)(?: group)? (?:live|up to date|current))?")
        if given is None:
            raise Missing("what the group is called")
        slots["NAME"] = given
    r.drop(
        r"\b(?:live |dynamic |new )*groups?(?= (?:of|for|with|from|that|which|to|about|on|\ue000))(?: (?:of|for|with|from))?",
        r"(?:a )?copy of (?=every|all|each|the)",
        r",? (?:and )?(?:keep|kept) (?:it |them )?(?:live|up to date|current)",
        rf"\b(?:live|sit|belong|go|end up)(?= *(?:$|{CUT}))",
        rf"(?:,? (?:to|should|shall|must|can) be|,)? \b(?:grouped|bundled|filed|collected|gathered)(?: together)?(?= *(?:$|{CUT}))",
        rf",? \bas @(?:new |live )*group(?= *(?:$|[;,{CUT}]))",
    )
    r.drop(rf"\btogether(?= *(?:$|{CUT}))")
    slots["PROMPT"] = question(r, *_GROUP_TAIL)
    if slots.get("links") and "into" not in slots:
        raise Missing("the new folder that the links go to")
    return slots


_RESULT = r"(?:(?:one|a|an|single|new|common|combined|big|bigger|larger|joint|merged|joined|the|file|document|text|and|then|so|save|saved|store|write|put|it|its|result|results|output|them|this|that|as|in|into|to|under|name|of|call|named|called|titled|which|goes|go|make|create|produce|form|build|target|is|be|should|will|end|up|with|get|giving|yielding|for|whole|thing|everything|all|together),? )*"


def _in_place(r: Reading, placed: bool) -> Slots | None:
    """The files of a join in place, the one that grows first; None where it is none. Raises Missing."""
    files = r.marks("fpd")
    first = (
        r.take(
            r",? ?(?:with |where )?@{f} (?:being|is|as) @(?:file |one )?(?:that|which)? ?(?:grows|gets longer|is extended|target)"
        )
        if placed
        else None
    )
    if first is not None:
        some = r.take("{fs}")
        names = r.paths(some[0]) if some else []
        target = r.value(first[0])
        return {"PATH": [target, *(name for name in names if name != target)], "in-place": True}
    if placed and len(files) > 2 and r.has("into @{f}"):
        raise Missing("either a new file, or that the first one grows")
    onto = r"(?:onto|on to|to|at|after|behind|below|underneath|under|into|on)(?: @(?:very )?(?:end|bottom|tail|back)(?: of)?)?"
    if len(files) >= 2 and (
        placed or r.has(r"{f} (?:onto|on to|(?:to|at|on) @(?:very )?(?:end|bottom|tail|back)(?: of)?) @{f}")
    ):
        found = r.take(r"{f} first,? (?:and )?(?:then )?{f}") if placed else None
        if found is not None:
            return {"PATH": [r.value(found[0]), r.value(found[1])], "in-place": True}
        found = r.take(rf"{{fs}}(?: together)?,? {onto} @{{f}}")
        if found is not None:
            return {"PATH": [r.value(found[1]), *r.paths(found[0])], "in-place": True}
        found = r.take(
            r"(?:let |make )?@{f} (?:grow|grows|longer|bigger) (?:by|with) (?:(?:joining|adding|appending|putting|attaching) )?(?:what is in |@contents? of )?@{fs}(?: (?:to|onto|behind) it)?"
        )
        if found is not None:
            return {"PATH": [r.value(found[0]), *r.paths(found[1])], "in-place": True}
        found = r.take(
            r"(?:to|onto|extend|after|at (?:the )?end of|grow) @{f},? (?:(?:with|by|<add append join attach put>|the|file|files|contents? of|now) )*{fs}"
        )
        if found is not None:
            return {"PATH": [r.value(found[0]), *r.paths(found[1])], "in-place": True}
        if placed:
            grows = r.take(
                r"(?:into|so that|in|growing|extending|let|make) @{f}(?: (?:grow|grows|longer|gets longer|itself))"
            )
            r.drop(r"(?<=[\ue100-\ue8ff] )first\b")
            r.text = r.text.replace(f" {CUT} , then", " then").replace(f" {CUT} ,", ",")
            found = r.take("{fs}")
            if found is not None and len(r.paths(found[0])) > 1:
                named = r.paths(found[0])
                if grows is not None:
                    target = r.value(grows[0])
                    named = [target, *(one for one in named if one != target)]
                return {"PATH": named, "in-place": True}
        raise Missing("which file grows, and by which")
    if placed:
        raise Missing("which file grows, and by which")
    return None


def join(r: Reading) -> Slots:
    slots: Slots = {}
    r.drop(_BELONGS)
    placed = r.drop(
        r",? ?\b(?:in[ -]place(?! of)|in situ|without (?:<make create>) (?:a |any )?(?:new|third|separate|other|another) (?:one|file|document)|no new file)\b,?(?: (?:so that|so) {f} grows)?",
        r"--in-place",
    )
    r.drop(
        r"\btogether\b",
        r"\bone after (?:the other|another)\b",
        r"\bin (?:that|this|the given) order\b",
        r"\bback to back\b",
    )
    if placed:
        r.text = " ".join(r.text.replace(CUT, " ").split())
    r.text = re.sub(rf"[\s,;]*{CUT}\s*$", "", r.text)
    r.text = re.sub(r"(\ue000[fp].),? before (?:the )?(?=\ue000[fp])", r"\1 and ", r.text, flags=re.I)
    if r.drop(r"^<roll>(?= .*\bup\b)"):
        r.drop(r"\bup\b")
    r.drop(
        r"(?:,? ?and )?(?:then )?\b<make> (?:one|a|a single|{n}) (?:big |long |single |new )*(?:pdf|file|document|text)(?: file)? (?:out of|from|of) (?:them|those|these|it)\b",
    )
    r.text = re.sub(
        r"\b(?:pdfs|csvs|logs|chapters|parts|pieces|notes|texts|documents|pdf files|csv files):? (?=\ue000[fp])",
        "",
        r.text,
        flags=re.I,
    )
    made = r.take(
        r"{f} ?(?:=|:=|<-|←) ?{fs}",
        r"^(?:<make produce create build get form write> )@{f},? (?:from|out of|by \w+ing|of|with|using) @{fs}",
        r"(?:^|into |<make build create produce form write get need want> )@?(?:(?:big |long |new |combined |single )*(?:{n} )?(?:big |long |new |combined |single )*(?:file|document|text)?)?,? ?(?:called |named )?{f},? (?:from|out of|made of|made from|made up of|consisting of|composed of|comprising|built from|put together from|(?:that |which )?(?:consists of|is made of|holds|contains|has)) @{fs}$",
    )
    if made is not None:
        marks = [part for part in made if part]
        target, parts = r.value(marks[-2]), r.paths(marks[-1])
        if len(parts) > 1 and target not in parts:
            return {"PATH": parts, "into": target}
        raise Missing("two files at least, and a new one")
    one = r.take(r"(?:into |in |to |as |make |becomes? )?{n} (?:single )?(?:file|document|text)(?: out)?")
    if one is not None and r.value(one[0]) != "1":
        raise Missing("one new file")
    counted(r)
    in_place = _in_place(r, placed)
    if in_place is not None:
        return in_place
    r.drop(
        r"(?:should|must|can|are to|is to|shall|need to|have to) (?:all )?(?:be )?(?:merged|joined|concatenated|combined|put|collected|united|become|go|stitched|glued)\b"
    )
    made = r.take(
        r"@(?:\w+ )?{F},? (?:which is |that is )?(?:should be |is to be |must be |is )?(?:the |a )?(?:made|built|composed|assembled|put|created|consisting|formed|joined|merged|concatenation|join)(?: up| together)? (?:of|from|out of|by joining) @{fs}"
    )
    if made is not None and len(r.paths(made[1])) > 1:
        return {"PATH": r.paths(made[1]), "into": r.value(made[0])}
    into = r.take(
        r"[,;.]? ?\b(?:target|output|result|destination|dest|new file|target file|output file|resulting file)(?: (?:is|file|path|goes to|in|should be))*:? ?{f}$",
        rf"(?:,|;)? ?(?:(?:and|then|so that|with|be joined|be merged) )*(?:into|in|to|as|under|named|called|make|makes|create|produce|build|form|output|forming|making|creating|producing|>|giving|call|name|result|get) {_RESULT}@{_RESULT},? ?{{f}}$",
        rf"(?:into|to|as|named|called|make|create|produce|build|form) {_RESULT}@{_RESULT}{{f}}(?= (?:from|out of|by|using|with|of|that|joining|which|:|{CUT}|containing|consisting|holding))",
        rf"(?:into|named|called|to make|>|in|as) {_RESULT}@{{f}}",
        rf"^(?:<make create build produce write form>|the new) {_RESULT}@{{f}}",
        r" ?[,;:.–—-]+ (?:@)(?:new|resulting|target|output|result) {f}$",
        r"^@(?:target|output|result|destination|new)(?: file)?:? {f}(?=[,;.])",
        r"^(?:one|a|a single|a new) {f}(?= (?:from|out of|of|with) )",
        r"(?:into|as|to|called|named|in|is|create|make|result|store|write|output|call|>|->)(?: [\w'-]+,?){0,6},? {f}$",
    )
    if into is None:
        into = r.take(
            rf"{CUT}(?:[ ,:]|called|named|as)* {{f}}(?= *(?:$|,|from|out of))",
            r",? ?(?:->|=>|→|=) ?{f}$",
            r"(?:in|into|to|as) {f}$",
        )
    if into is None:
        raise Missing("the new file that they go into")
    slots["into"] = r.value(into[-1])
    r.drop(rf",? ?\b(?:merged|joined|concatenated|combined|stitched|glued)(?= *(?:{CUT}|$))")
    parts = []
    while (some := r.take("@(?:files? |and |both |contents? of )*{fs}")) is not None:
        parts += r.paths(some[0])
    if parts:
        if len(parts) < 2 and not r.has(rf"(?:{ABOUT[2]})"):
            raise Missing("two files at least")
        if slots["into"] in parts:
            raise Missing("a new file that is none of them")
        slots["PATH"] = parts
        if not r.has(rf"(?:files|everything|documents|all|those|notes) (?:{ABOUT[2]})"):
            return slots
    slots["matching"] = question(
        r, *ABOUT, *ON, r"^<join concatenate merge combine> (?:@)(?:files|documents|everything)(?: that)?"
    )
    return slots
