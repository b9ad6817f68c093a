"""looking_back: the slots of compare, log, rollback, undo, undelete, purge and snapshot: what was."""

import re

from syscalls.asking.patterns import CUT
from syscalls.asking.reading import Missing, Reading
from syscalls.asking.saying import ALL, NAMED, Slots, name, whole

_AND = r"(?:and|to|with|vs\.?|versus|against|through|from|or|→|->|-|–|\.\.|until|as well as|,|compared to|compared with|up to|up against|up to|next to|beside|alongside|relative to)"


_SNAP = r"(?:@(?:snapshots? )?(?:named |called )?)"


def compare(r: Reading) -> Slots:
    slots: Slots = {}
    r.join()
    _snapshots(r)
    if r.has("snapshot"):
        r.text = re.sub(r"(?<=\w)(\.\.\.?|→|->)(?=\w)", " .. ", r.text)
    if not r.marks("v") or r.has("snapshot"):
        where = r.take(
            r"@{f} (?:in|of|at|from|as of|as in|as at) @snapshot {name},? (?:and|to|with|against) (?:@{f} |that |it |@same (?:file |one )?)?(?:in|of|at|from|as of|as in|as at) @snapshot {name}"
        )
        if where is not None and (not where[2] or r.value(where[0]) == r.value(where[2])):
            return {"PATH": r.value(where[0]), "from": r.plain(where[1]), "to": r.plain(where[3])}
        pair = r.take(
            r"@snapshot {name} (?:<differ>|is different|different|changed)(?: from| to| compared (?:to|with))? @(?:snapshot )?{name}",
            rf"(?:between |from |of )?@(?:two )?snapshots?(?: named| called|:)? {{name}},? {_AND} {_SNAP}{{name}}(?: snapshots?)?",
            rf"(?:between |from |of )?@{{name}}(?: snapshot)? {_AND} @{{name}} snapshots?",
            rf"(?:between |from )?@snapshot {{name}} {_AND} {_SNAP}{{name}}",
        )
        if pair is not None:
            slots |= {"from": r.plain(pair[0]), "to": r.plain(pair[1])}
        elif r.has("snapshot"):
            named = name(
                r,
                r"(?:since|from|with|to|against|and|between|than|in|as of|compared (?:to|with)) @(?:(?:the )?version (?:in|of|from) )?@snapshot (?:named |called )?{name}",
                r"(?:since|from|with|to|against|and|between|than|in|as of|compared (?:to|with)) @{name} snapshot",
            )
            if named is not None:
                slots["from"] = named
                r.drop(
                    rf"(?:{_AND} )?(?:@(?:version |state |one )?(?:now|today|current(?:ly)?|latest|newest|present|what is there now|how it is now)(?: version| state| one)?)"
                )
    if "from" not in slots and r.marks("v"):
        turned = r.take(
            r"(?:from |of |in )?@{v}(?: of @{f})? (?:\w+ ){0,2}(?:compared (?:to|with)|relative to|in comparison (?:to|with)) @{v}",
            r"what did @{v} (?:change|alter|add|do)(?: in| to) @{f} (?:against|over|since|from|compared (?:to|with)) @{v}",
        )
        if turned is not None:
            slots |= {"from": f"v{r.value(turned[2])}", "to": f"v{r.value(turned[0])}"}
            if turned[1]:
                slots["PATH"] = r.value(turned[1])
    if "from" not in slots and r.marks("v"):
        pair = r.take(
            rf"(?:between |from |of |in )?@{{v}}(?: of (?:@)?(?=\ue000f))?,? (?:(?:@{{f}} )?)(?:changed |is |was |differs? |different )*{_AND} (?:@|its |of )?{{v}}"
        )
        if pair is not None:
            slots |= {"from": f"v{r.value(pair[0])}", "to": f"v{r.value(pair[-1])}"}
            if len(pair) > 2 and pair[1]:
                slots["PATH"] = r.value(pair[1])
        elif len(r.marks("v")) == 2 and r.has(
            r"{v}.*(?:from|and|to|with|against|versus|vs|than|next to|beside).*{v}|{v} {v}"
        ):
            marks = r.marks("v")
            slots |= {"from": f"v{r.value(marks[0])}", "to": f"v{r.value(marks[1])}"}
            for mark in marks:
                r.text = r.text.replace(mark, f" {CUT} ", 1)
        else:
            one = r.take(
                r"(?:since|from|with|to|against|and|between|than|in|of|compared (?:to|with))? ?@{v}(?: (?:on|onwards))?"
            )
            if one is not None:
                slots["from"] = f"v{r.value(one[0])}"
                r.drop(
                    rf"(?:{_AND} )?(?:@|its )?(?:(?:now|today|current(?:ly)?|latest|newest|present|most recent)(?: version| state| one| content)?)\b"
                )
    if "from" not in slots and r.marks("t"):
        pair = r.take(
            rf"(?:between |from |on |of )?@(?:version |state )?(?:of |from |on )?{{t}},? {_AND} (?:on |that of |the one of |the version of )?{{t}}"
        )
        if pair is not None:
            slots |= {"from": r.value(pair[0]), "to": r.value(pair[1])}
        elif (one := r.take(r"(?:since|from) {t}(?: (?:on|onwards))?")) is not None:
            slots["from"] = r.value(one[0])
    if (
        "from" not in slots
        and (r.marks("b") == r.marks("vb") and len(r.marks("b")) == 1)
        and r.value(r.marks("b")[0]) == "1"
    ):
        r.take(rf"(?:{_AND} |between |since |compared to )?@(?:its |the )?{{b}}")
        r.drop(
            rf"(?:{_AND} )?(?:@|its )?(?:(?:now|today|current(?:ly)?|latest|newest|present)(?: version| state| one)?)\b"
        )
    if "PATH" in slots:
        return slots
    pair = (
        r.take(
            rf"{{fs}}(?:'s)?,? (?:(?:is |are |was )?(?:different|differs?|deviates?|distinct) )?(?:{_AND}|is from|from that in|from what is in) @(?:contents? of )?{{f}}",
            r"{f}(?:,| and| with| &)+ @{f}",
        )
        if "from" not in slots
        else None
    )
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
        r.drop(
            r"\b(?:everything|all files|the whole (?:tree|folder|mount|thing)|everywhere|overall|anything|the entire tree)\b"
        )
        return {"PATH": "files"} | slots
    if one is None:
        raise Missing("which file")
    return {"PATH": r.value(one[0])} | slots


def log(r: Reading) -> Slots:
    slots: Slots = {}
    since = r.take("(?:since|from|after|starting) {t}(?: on(?:wards)?)?")
    if since is not None:
        slots["since"] = r.value(since[0])
    limit = r.take(
        "@(?:last|newest|latest|most recent|recent) {n}(?: (?:lines|entries|events|changes|things|items))?(?: (?:of|in|for|from))?"
    )
    if limit is not None:
        slots["limit"] = r.value(limit[0])
    r.text = re.sub(r"\bthis (?=mount|tree|file ?system)", "the ", r.text, flags=re.I)
    steps = r.marks("b") if limit is None else []
    if len(steps) == 1:
        r.take("@{b}(?: (?:of|in|for|from|to|on|made to))?")
        slots["limit"] = r.value(steps[0])
    r.join()
    if r.marks("fpdq"):
        return {"PATH": r.path()} | slots
    if r.has(
        r"\b(?:history|log|changes|versions|past|story|changelog) (?:of|for|to|in) (?!@?(?:everything|all|whole|entire|complete|lsfs|mount|tree|files|folder|here|system|file ?system|changes|today|what|it|this|that|last|any|events|versions)\b)@[a-z]"
    ):
        raise Missing("which file or folder")
    if r.has(
        r"\b(?:everything|all|whole|here|complete|entire|lsfs|mount|tree|overall|anything|everywhere|full|log|history)\b"
    ) and not r.has(r"\b(?:it|this|(?<!all )(?<!everything )(?<!anything )that|file|document)\b"):
        r.take(rf"{ALL}(?= |$)")
        return slots
    raise Missing("which file or folder")


def _snapshots(r: Reading) -> None:
    """A checkpoint, a restore point: a snapshot."""
    r.text = re.sub(
        r"\b(?:check-?point|restore[\s-]point|save-?point|backup\spoint)(s?)(?![\w-])",
        r"snapshot\1",
        r.text,
        flags=re.I,
    )


def rollback(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    _snapshots(r)
    back = r.marks("b")
    if r.has(r"\b(?:all|every) (?:of )?(?:the |its |their )?{b}") and [r.value(one) for one in back] == ["1"]:
        raise Missing("one state only")
    if not back and not r.marks("vt"):
        steps = r.take(
            r"(?:by |back |last |past |the )*{n} (?:saved )?(?:versions?|revisions?|saves|edits|steps?|changes|times|generations|iterations)(?: back| of)?"
        )
        if steps is None:
            steps = r.take(r"(?:back )?by {n}$")
        if steps is not None:
            slots["versions"] = r.value(steps[0])
    if back:
        r.take(
            r"(?:by |to |back |of |from |as |in |it was |was |it had |take back |(?:the|a|an|my|our|your|their|its|this|that|these|those|all|any|every|each|some) )*{b}(?: (?:of|to|on|in))?"
        )
        slots["versions"] = r.value(back[0])
    version = r.take(
        r"(?:to |back to |of |from |as of |at |in |use |make |restore |(?:the|a|an|my|our|your|their|its|this|that|these|those|all|any|every|each|some) )*{v}(?: of| from)?"
    )
    if version is not None:
        slots["version"] = r.value(version[0])
    given = name(
        r,
        r"(?:to |from |with |in |at |of |as |it was |was |were |things were |looked |when |taken |(?:state|version|content) (?:of|in|from|at) |(?:the|a|an|my|our|your|their|its|this|that|these|those|all|any|every|each|some) )*snapshots? (?:named |called |taken as |labelled |with the name |by the name of )*{name}",
        r"(?:to |from |in |at |of |as |it was |was |looked |(?:state|version) (?:of|in|from) |(?:the|a|an|my|our|your|their|its|this|that|these|those|all|any|every|each|some) )*@{name} snapshot",
        r"snapshot.* {q}",
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
    bare = r.take(
        r"^(?:<restore revert reset roll rewind return bring put take> )(?:back )?(?!(?:everything|all|it|the|my|our|this|that|them|things|back|to|from|us|me|a|an)\b)([\w-]+)(?= *(?:$|back\b|to\b|from\b|as\b|\uf8fe))"
    )
    if bare is not None and "versions" not in slots and bare[0]:
        return {"PATH": bare[0]} | slots
    if "to" in slots and r.has(r"\b(?:everything|all|whole|entire|tree|complete)\b") and whole(r):
        return {"PATH": "files"} | slots
    raise Missing("which file or folder")


def undo(r: Reading) -> Slots:
    if r.has(r"^(?:rollback|roll back|revert|restore|reset|rewind)$"):
        raise Missing("that the last one is to be undone")
    if (
        not r.marks("b")
        and not r.has(
            r"^(?:<take> (?:it|that|this) back|(?:reverse|take back|scratch|un-do) (?:it|that|this))$"
        )
        and not r.has(
            r"\broll|\brestor|\brevert|\breset|<undo>|\bun-do\b|\b(?:last|latest|most recent|previous|recent|newest) (?:\w+ )?(?:edits?|changes?|steps?|actions?|calls?|thing|operation|command|modification|one|move|write|update)\b|\b(?:just|last) (?:did|done|made|changed|edited)\b|\b(?:did|done|made|changed) (?:last|just now)\b"
        )
    ):
        raise Missing("that the last rollback or edit is meant; for one file, say how many versions back")
    last = r.marks("b")
    if len(last) == 1 and r.value(last[0]) == "1":
        r.take("@{b}(?: (?:of mine|i made|we made|i did|we did|you made|that i made|that was made))?")
    if r.marks("fpdqvbtln"):
        raise Missing("no file: it takes the last rollback back, all of it")
    return {}


def undelete(r: Reading) -> Slots:
    r.join()
    slots: Slots = {}
    if len(r.marks("fp")) == 2:
        target = r.take(
            r"(?:(?:and|but|,) )*(?:<put place name call save store restore> )?(?:it )?(?:as|to|under|at|into|in|is|be|called|named|name it|call it)(?: (?:the|new|name|path|place|file))* @{F}$"
        )
        if target is not None:
            slots["as"] = r.value(target[0])
    return {"PATH": r.path()} | slots


def purge(r: Reading) -> Slots:
    r.join()
    r.text = re.sub(
        r"\bas (?:if|though) (?=(?:it|\ue000[fpd].) (?:had )?(?:been )?never\b|(?:it|\ue000[fpd].) had never\b)",
        "",
        r.text,
    )
    r.drop(
        r"(?:@(?:(?:some|few|old|own) )*(?:passwords?|passphrase|credentials?|api keys?|access tokens?)(?: (?:was|were|is|are|got|has|have|slipped|leaked|written|been|ended up|by mistake|by accident|accidentally))*) (?:in|into|to|inside)(?= @?\ue000[fpd])",
        r"(?:(?:,|and|or|from|in|also|even|including|out of)* ?(?:(?:all|the|its|every|any|each) )*\b(?:versions?|history|snapshots?|trash|index)\b){2,}",
    )
    slots: Slots = {}
    if r.drop(
        r"(?:,|and|with|also|including|even|together with|as well as| )*@(?:live (?:file|copy|one|content)|file itself|live|current (?:file|copy|content|version)|(?:one|copy|file) (?:that is )?there (?:is )?now|(?:one|copy|file) that is there)(?: (?:too|as well|itself|included|also|there now))*"
    ):
        slots["live"] = True
    if r.drop(
        r"(?:,|and|also|even|including| )*(?:everywhere(?: else)?|wherever (?:its|the same) (?:bytes|content) (?:is|are|occurs?|exists?)|@(?:other )?(?:files?|copies|versions)(?: of (?:it|other files))? (?:with|that have|having) the same (?:bytes|contents?))"
    ):
        slots["everywhere"] = True
    return {"PATH": r.path()} | slots


def snapshot(r: Reading) -> Slots:
    for mark in r.marks("v"):  # a name, such as v2
        r.text = r.text.replace(mark, r.thing(mark).raw.split()[-1], 1)
    dropped = name(
        r,
        r"(?:<drop delete remove discard scrap>|get rid of|throw away|let go of) @(?:old )?snapshot(?: (?:named|called))? {name}",
        r"(?:<drop delete remove discard scrap>|get rid of|throw away) @{name} snapshot",
        r"(?:(?:i|we) (?:no longer|don't|do not) (?:need|want|use) )?@snapshot (?:named |called )?{name}(?: any ?more| any longer| again)?[,;.:—-]+ (?:so |and |please )*<remove delete drop discard> (?:it|that|this)$",
    )
    if dropped is not None:
        return {"NAME": dropped, "drop": True}
    given = name(
        r,
        r"(?:,? ?(?:with|under|using|and|having|its|bearing) )*@(?:name|label|title|tag)(?: (?:of|is|being|should be|shall be|set to)|:|=)* {x}",
        r"(?:,? ?(?:with|under|using|and|having|its|bearing) )*@(?:name|label|title|tag)(?: (?:of|is|being|should be|shall be|set to)|:|=)* (?!it\b|as\b){name}",
        rf"(?:and )?(?:{NAMED}|tag(?:ged)?(?: it)?|label it|it|give it the name|with the label|labelled as|name|in|under) (?:as )?@(?:snapshot |name )?(?:named |called )?{{x}}",
        rf"@snapshots?,? (?:(?:and )?{NAMED}|as|labelled|:|with|name|under) (?:the )?(?:name )?{{name}}",
        r"snapshots? {x}",
        r"snapshot, {name}(?=,)",
        rf"(?:and )?{NAMED} (?:as )?(?:the )?(?:snapshot )?{{name}}",
        r"snapshot:? {name}",
        r"\bas @(?:snapshot )?(?:named |called )?{x}",
        r"\bas @(?:snapshot )?(?:named |called )?{name}$",
        r"@{name} snapshot",
        r"(?:snapshot|under|as|it) {name}$",
        r"(?:restore point|checkpoint)(?: (?:named|called))? {name}",
        r"{Q}$",
        r"\bas {name}(?=,)",
        r", {name}$",
        r"\b(?:now|state) {name}$",
    )
    if given is None:
        raise Missing("what the snapshot is called")
    return {"NAME": given}
