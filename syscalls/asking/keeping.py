"""keeping: the slots of link, lock, unlock, watch, scan, status and rebuild: who may do what, and what lsfs does of itself."""

from syscalls.asking.masks import MARK
from syscalls.asking.reading import SUFFIX, Missing, Reading
from syscalls.asking.saying import ALL, NAMED, Slots, name, whole


def link(r: Reading) -> Slots:
    gone = r"(?:<revoke invalidate disable deactivate withdraw cancel retract kill delete remove stop recall drop rescind void terminate pull end close block destroy unshare unpublish>|\bexpire\b)"
    revoked = name(
        r,
        rf"(?:{gone}|take back|taking back|take down|tear down|bring down|close down|cut off|switch off|turn off|shut (?:down|off)|call back|put an end to) @(?:expiring |share |sharing |shared |temporary |public )*link(?:,? (?:{NAMED}))? {{name}}",
        rf"(?:{gone}|take back|shut (?:down|off)|switch off|turn off|get rid of) @{{name}} link",
        rf"@link(?: (?:{NAMED}))? {{name}} (?:is|must|should|has|may|shall|can|needs)(?: no longer| to| not)?(?: be)?(?: any more)? (?:{gone}|taken back|go|end|stop|valid|work|over|switched off|gone)(?: working| being valid| now| any ?more)?",
        r"(?:take|pull|switch|turn) @link {name} (?:back|off|down)",
        r"<make> @link {name} (?:invalid|stop working|void)",
        rf"{gone} (?:<share>|@sharing) (?:under |via |by |of )?@(?:link )?{{name}}$",
        rf"{gone} @(?:share|sharing) (?:named |called ){{name}}$",
        r"@link(?: (?:named|called))? {name} (?:is|'s) (?:no longer|not) (?:wanted|needed|valid|of use),?(?: (?:so |please )*<revoke remove delete cancel kill drop> it)?",
        r"(?:nobody|no ?one) (?:should|may|can|must) (?:be able to )?(?:use|open|follow) @link {name}(?: any ?more| any longer)?",
    )
    if revoked is not None:
        return {"revoke": revoked}
    slots: Slots = {}
    r.join()
    given = name(
        r,
        rf"(?:and )?{NAMED} {{name}}",
        r"\blink {name}(?= (?:to|for|on|pointing|leading|from) @\ue000)",
        r"\bas {x}",
        r"(?<=link to \ue000[fpd][\ue100-\ue8ff]) {name}(?= (?:and|for|until|till|with|valid)\b| ?,|$)",
        r"(?<=[\ue100-\ue8ff]) as {name}(?= (?:for|until|till|valid|and|which|that|expiring)\b| ?,)",
        r"\bas {name}$",
        r"\b(?:link|it) as {name}",
    )
    valid = r"(?:(?:,|and|which|that|is|be|are|it|valid|good|expires?|expiring|for|in|after|within|lasts?|lasting|lives?|living|works?|working|until|till|through|to|up|only|the|next|remains?|stays?|should|must|will|with|a|lifetime|life|validity|duration|period|of|open|usable|keep|active|alive|dies?|ends?|on|by|at|it's|no|longer|than|before|runs|out|stops|available|date|time|limited|expiry|expiration|temporarily|exactly|just)(?:(?<=,)|\b) ?)*"
    found = r.take(rf"{valid}{{l}}(?:-?long| only| long| from now)?(?: (?:validity|lifetime))?")
    if found is not None:
        slots["for"] = r.value(found[0])
    found = r.take(rf"{valid}{{t}}")
    if found is not None:
        if "for" in slots:
            raise Missing("one end: a duration, or a time")
        slots["until"] = r.value(found[0])
    where = r.path()
    if (
        given is not None
        and SUFFIX.search(given)
        and MARK.search(r.whole)
        and any(thing.value == given and thing.kind in "fp" for thing in r.things)
    ):
        raise Missing("one file, and a name that is none of a file")
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


def watch(r: Reading) -> Slots:
    r.join()
    if r.marks("fpdq"):
        return {"PATH": r.path()}
    if r.has(r"\b(?:everything|all files|whole|entire|anywhere|all the files|any file)\b") and whole(r):
        return {"PATH": "files"}
    raise Missing("which file or folder")


def nothing(r: Reading) -> Slots:
    if r.marks("fpdqvbtln"):
        raise Missing("nothing else")
    return {}


def rebuild(r: Reading) -> Slots:
    if not r.has(
        r"\bre-?\w+|\b(?:again|anew|afresh|scratch|zero|new|fresh|over|build\w*|nuke|scrap|create|make|drop|throw|wipe|start|do)\b"
    ):
        raise Missing("that the index is to be made anew")
    return nothing(r)


def scan(r: Reading) -> Slots:
    r.join()
    r.drop(
        r",? \b(?:while|when) (?:lsfs|you|the mount) (?:wasn't|weren't|was not|were not) (?:looking|running|there|up|on)\b",
        r"(?:with|against) @(?:catalogue|catalog)(?: and <index> (?:what|whatever|everything)(?: that)?(?: has| was)?)?",
        r"\b(?:that |which )?(?:you|lsfs|the index|we) (?:(?:might|may|could|must|have|has|had|didn't|did not|haven't|hasn't|have not|has not) )*(?:missed|miss|overlooked|not noticed|notice|noticed|see|seen|catch|caught)\b",
        r"\b(?:over|through|via|on|from) @(?:network|samba|nfs|smb)(?: share| drive)?\b",
        r"\beverywhere\b",
    )
    if r.has(
        r"\b(?:every|each) (?:hour|minute|day|week|night|morning|month|time)\b|\b(?:every|each) \ue000[ln]."
    ):
        raise Missing("nothing that is to be repeated")
    if not r.marks("fpdq") and r.has(r"<check inspect examine> (?:it|them|there|that folder|that file)\b"):
        raise Missing("which file or folder")
    place = r.take(
        r"\b(?:anything|something|files?|everything|changes?|things) (?:in|under|below|inside|within) (?!(?:the|my|our|it|here|there|this|all|general|total|lsfs)\b)([\w-]+)(?= (?:was|were|has|have|had|got|is|are|that|which|behind|outside|from|changed|modified|edited|touched|altered)\b|$)",
        r"^(?:look|go|check|scan|search|comb) through (?!(?:the|my|our|it|here|there|this|all|everything|lsfs|files|folders)\b)([\w-]+) (?=for (?:new |external |any )*(?:changes|edits|modifications)\b)",
        r"^<check inspect examine scan rescan> (?!(?:the|my|our|it|them|that|this|here|there|again|all|everything|everywhere|anything|lsfs|files|folders|disk|mount|tree|for|out|up|once|now|whether|if)\b)([\w-]+) (?=for (?:new |external |any )*(?:changes|edits|modifications|files (?:that (?:were|have been|got) )?(?:changed|edited|modified))\b)",
    )
    if place is None and not r.marks("fpdq"):
        place = r.take(
            r"\b(?:behind|outside)\b.{0,24}(?:in|under|below|inside|within) (?!(?:the|my|our|it|here|there|this|all|general|total|lsfs)\b)([\w-]+)$"
        )
    if place is not None:
        return {"PATH": place[0]}
    if r.marks("fpdq"):
        return {"PATH": r.path()}
    if not r.has(
        r"\b(?:everything|all|whole|entire|modifications?|edits|external|changes?|changed|mount|rescan\w*|tree|files|behind|outside|again|now)\b|^(?:<run do start> @)?(?:full |complete |new )*(?:re-?)?scan$"
    ):
        raise Missing("which file or folder")
    r.take(rf"{ALL}(?= |$)")
    return {}
