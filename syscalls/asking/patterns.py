"""patterns: regular expressions over a masked sentence, in a short form.

{f} {d} {q} {n} {v} {b} {t} {l}   a group: a mark of that kind (`masks`); {F}: a file, no folder; {fs}: files, one after the other
{name}                            a group: one word, or a quotation
{rest}                            a group: all up to the next piece that was taken already
<add remove>                      these verbs in every form; the first is what the sentence begins with as often as not
@                                 the, a, my, all … or nothing
a blank                           any blank
"""

import functools
import re

CUT = "\uf8fe"  # where a piece was taken out
_IRREGULAR = {
    "write": "wrote written", "make": "made", "put": "putting", "get": "got getting", "give": "gave given", "take": "took taken", "find": "found", "keep": "kept",
    "show": "shown", "tell": "told", "bring": "brought", "read": "", "throw": "threw thrown", "let": "letting", "set": "setting", "see": "saw seen", "say": "said",
    "undo": "undoes undid undone", "forget": "forgot forgotten forgetting", "freeze": "froze frozen", "hold": "held", "cut": "cutting", "stick": "stuck", "begin": "began begun beginning",
    "go": "goes went gone", "leave": "left", "hide": "hid hidden", "unfreeze": "unfroze unfrozen", "overwrite": "overwrote overwritten", "rewrite": "rewrote rewritten", "rebuild": "rebuilt",
    "build": "built", "sum": "summing", "split": "splitting", "run": "ran running", "shut": "shutting", "bind": "bound", "fetch": "", "hear": "heard", "mean": "meant", "think": "thought",
    "spin": "spun spinning", "wind": "wound", "redo": "redoes redid redone", "do": "does did done", "send": "sent", "sell": "sold", "buy": "bought",
}  # fmt: skip
_DOUBLED = frozenset(
    [
        "drop",
        "stop",
        "tag",
        "pin",
        "log",
        "bin",
        "wrap",
        "dump",
        "grab",
        "scrub",
        "chop",
        "zip",
        "swap",
        "ship",
        "scan",
        "tap",
        "jot",
        "strip",
        "rub",
        "rid",
        "dig",
        "map",
        "plan",
        "step",
        "track-stop",
        "nuke-stop",
        "grep",
        "snap",
        "pop",
        "skip",
        "mop",
        "slap",
        "permit",
        "commit",
        "refer",
        "recap",
        "nix",
        "cat",
        "tar",
    ]
)


def forms(verb: str) -> list[str]:
    """A verb in its forms."""
    found = [verb, *_IRREGULAR.get(verb, "").split()]
    if verb.endswith("e"):
        return [*found, f"{verb}s", f"{verb}d", f"{verb[:-1]}ing"]
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return [*found, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"]
    last = verb + verb[-1] if verb in _DOUBLED else verb
    plural = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z")) else f"{verb}s"
    return [*found, plural, f"{last}ed", f"{last}ing"]


_FILES = "\ue000[fp][\ue100-\ue8ff]"
_ANY = "\ue000[fpd][\ue100-\ue8ff]"
_GROUPS = {
    **{kind: f"(\ue000{kind}[\ue100-\ue8ff])" for kind in "dnvbtlr"},
    "f": f"({_ANY})",
    "F": f"({_FILES})",
    "q": "(\ue000[qp][\ue100-\ue8ff])",
    "Q": "(\ue000q[\ue100-\ue8ff])",
    "x": "(\ue000[fpqd][\ue100-\ue8ff])",
    "fs": rf"({_ANY}(?:(?:\s?[,;&+]\s?(?:and\s)?|\sand\s|\sas\swell\sas\s|\splus\s|,?\sfollowed\sby\s|\swith\s|\s)(?:then\s)?(?:also\s)?(?:the\s)?{_ANY})*)",
    "name": "(\ue000[pqf][\ue100-\ue8ff]|(?:[\\w](?:[\\w.+-]*[\\w+])?))",
    "rest": f"([^{CUT}]+)",
    "some": f"([^{CUT}]+?)",
    "in": rf"(?:(?:in|inside|within|under|underneath|below|beneath|from|across|throughout|of|on|among)\s(?:everything\s(?:in|under|below)\s)?({_ANY}))",
}
_THE = r"(?:(?:the|a|an|my|our|your|their|its|this|that|these|those|all|all\sof|any|every|each|some)\s)*"


@functools.cache
def pattern(text: str) -> re.Pattern[str]:
    """A pattern in the short form, compiled."""

    def verbs(match: re.Match[str]) -> str:
        found = [form for verb in match[1].split() for form in forms(verb)]
        return rf"\b(?:{'|'.join(sorted(set(found), key=lambda one: (-len(one), one)))})\b"

    text = re.sub(r"(?<!\?)(?<!\?P)<([a-z -]+)>", verbs, text)
    text = re.sub(r"(?<!\\)@\s?", lambda _: _THE, text)
    text = re.sub(r"\{([a-zA-Z]+)\}", lambda match: _GROUPS[match[1]], text)
    return re.compile(text.replace(" ", r"\s"), re.IGNORECASE)
