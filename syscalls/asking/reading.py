"""reading: a masked sentence from which pieces are taken, one after the other; what nobody took is what was not understood."""

import re
from collections.abc import Iterable

from syscalls.asking.masks import FIRST, MARK, Said, Thing
from syscalls.asking.patterns import CUT, pattern

SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}/?$")
_NOBODY = frozenset(
    [
        "it",
        "yourself",
        "me",
        "you",
        "myself",
        "us",
        "them",
        "they",
        "that",
        "this",
        "those",
        "these",
        "something",
        "stuff",
        "anything",
        "things",
        "one",
        "ones",
        "everything",
        "all",
        "what",
        "which",
        "nothing",
        "nobody",
    ]
)
_EMPTY = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "on",
        "for",
        "about",
        "to",
        "in",
        "and",
        "or",
        "files",
        "file",
        "documents",
        "document",
        "with",
        "by",
        "as",
        "from",
    ]
)


_MORE = re.compile(  # what a question in free words does not have: then it is more than a question
    "\\b(?:which|that)\\s(?:also\\s)?(?:mention|contain|include)s?\\b|\\b(?:mention|contain)(?:s|ing)?\\s(?:the|both|either)\\b|\\s(?:at\\sonce|simultaneously)$|\\b(?:and|or)\\s(?:dealing\\swith|relating\\sto|related\\sto|to|about|regarding|concerning)\\s|\\b(?:apart|aside)\\sfrom\\b|\\b(?:unless|whenever|every\\s(?:day|week|hour|night|morning|month|evening))\\b|\ue000[fdqpvbtl]|[:;,]|[.!?]\\s|\\s[-–—]\\s|\\b(?:also|together\\swith|along\\swith|as\\swell\\sas|so\\sthat|because|since|in\\sorder\\sto|it's|it\\sis|i\\sneed|i\\swant|we\\sneed|i'm|as\\si|urgent|please|shall|should|must|(?:the|a)\\sgroup)\\b|\\b(?:not|but|without|except|leaving\\sout|excluding|minus|nor|neither|either|both|don't|doesn't|aren't|isn't)\\b"
    "|\\b(?:and|then)\\s(?:then\\s)?(?:give|summari[sz]e|sum|list|show|delete|remove|group|sort|rank|put|copy|make|tell|save|lock|join|merge)\\b|\\s(?:into|from|to|of|with|by)$",
    re.IGNORECASE,
)


class Missing(Exception):
    """What the call needs, and the sentence does not say: the message is a clause, `which file`."""


class Reading:
    """text: what is left; things: what the marks stand for."""

    def __init__(self, said: Said) -> None:
        self.text = said.text
        self.whole = said.text
        self.asked = said.asked
        self.things: list[Thing] = list(said.things)

    # What is there ---------------------------------------------------------------------------------------------------

    def has(self, text: str) -> bool:
        return pattern(text).search(self.text) is not None

    def said(self, text: str) -> bool:
        """Whether it is in the whole sentence."""
        return pattern(text).search(self.whole) is not None

    def take(self, *texts: str) -> tuple[str, ...] | None:
        """The groups of the first pattern that is met; all that it met is taken out."""
        for text in texts:
            match = pattern(text).search(self.text)
            if match is not None:
                start = match.start()
                while (
                    start < match.end()
                    and self.text[start - 1 : start].isalnum()
                    and self.text[start].isalnum()
                ):
                    start += 1  # the end of a longer word is no word
                self.text = f"{self.text[:start]} {CUT} {self.text[match.end() :]}"
                return tuple(group or "" for group in match.groups())
        return None

    def drop(self, *texts: str) -> bool:
        """Take out everything that these patterns meet."""
        before = self.text
        for text in texts:
            self.text = pattern(text).sub(f" {CUT} ", self.text)
        return self.text != before

    # What marks stand for --------------------------------------------------------------------------------------------

    def thing(self, mark: str) -> Thing:
        return self.things[ord(mark[2]) - FIRST]

    def value(self, mark: str) -> str:
        return self.thing(mark).value

    def plain(self, text: str) -> str:
        """What was written: quotation marks of a single quotation are no part of it."""
        text = text.strip()
        if MARK.fullmatch(text):
            thing = self.thing(text)
            return thing.value if thing.kind in "qpfd" else thing.raw
        return MARK.sub(lambda match: self.thing(match[0]).raw, text).strip()

    def marks(self, kinds: str) -> list[str]:
        return [mark for mark in MARK.findall(self.text) if mark[1] in kinds]

    def put(self, kind: str, value: str, raw: str) -> str:
        self.things.append(Thing(kind, value, raw))
        return f"\ue000{kind}{chr(FIRST + len(self.things) - 1)}"

    # Paths -----------------------------------------------------------------------------------------------------------

    def is_folder(self, mark: str) -> bool:
        return mark[1] == "d" or mark[1] == "f" and SUFFIX.search(self.value(mark)) is None

    def join(self) -> None:
        """`notes.md in the folder work` is work/notes.md."""
        within = (
            r"{F},? (?:(?:that|which) (?:is|lies|lives|sits|are) |located |stored |found |lying |living |kept )?"
            r"(?:in|inside|within|from|under|below|of|out of) (?:my |the |our )?{f}"
        )
        match = pattern(within).search(self.text)
        while match is not None:
            if not self._merge(match.start(), match.end(), match[1], match[2]):
                break
            match = pattern(within).search(self.text)
        match = pattern(
            r"(?:^|\b)(?:in|inside|within|under|below|from|into|to) (?:my |the |our )?{d}(?:,? (?:there is |find |take |look )?)?"
        ).search(self.text)
        files = [mark for mark in self.marks("fp") if "/" not in self.value(mark)]
        if match is not None and len(self.marks("fp")) == 1 and len(files) == 1:
            folder = match[1]
            self.text = f"{self.text[: match.start()]} {CUT} {self.text[match.end() :]}"
            place = self.text.index(files[0])
            self.text = (
                self.text.replace(files[0], self._joined(files[0], folder), 1) if place >= 0 else self.text
            )

    def _merge(self, start: int, end: int, file: str, folder: str) -> bool:
        if (
            file == folder
            or not self.is_folder(folder)
            or "/" in self.value(file).strip("/")
            or self.value(file).startswith("/")
        ):
            return False
        self.text = self.text[:start] + self._joined(file, folder) + self.text[end:]
        return True

    def _joined(self, file: str, folder: str) -> str:
        path = f"{self.value(folder).rstrip('/')}/{self.value(file)}"
        return self.put("f", path, path)

    def path(self, *texts: str, folder: bool = True, why: str = "which file") -> str:
        """One path, as it was written. Raises Missing."""
        found = self.take(*(texts or (r"@{f}(?:'s)?",)))
        if found is None and not texts:
            found = self.take("@{Q}")
            if found is not None and (len(self.value(found[0])) > 200 or "\n" in self.value(found[0])):
                found = None
        if found is None:
            raise Missing(why)
        if not folder and found[0][1] == "d":
            raise Missing("which file; that is a folder")
        return self.value(found[0])

    def paths(self, group: str) -> list[str]:
        return [self.value(mark) for mark in MARK.findall(group)]

    def scope(self) -> str | None:
        """`in the folder papers`: the folder, or the file, that a search is about."""
        found = self.take(
            r"(?:,? ?(?:but )?(?:only |just |and only )?(?:(?:that|which) (?:is|are|lie|live|sit) |(?:stored|located|kept|found|lying|living|looking|searching|restricted|limited|somewhere|anywhere) )?)"
            r"\b(?:in|inside|within|under|underneath|below|beneath|from|across|throughout|of|out of|through)"
            r" (?:(?:everything|all|anything|files|all files|the files|documents|what is|whatever is) (?:in|under|below|inside|of|within) )?@{f}(?:'s)?(?: only| alone)?",
            r"<search look limit restrict scan> (?:it |this |the search )?(?:only )?(?:to )?@{f}(?: only)?",
            r", ?{d}(?: only| alone)?$",
            r"^@{d}(?: only| alone)?[:,]",
            r"^(?:in|inside|within|under|below|from|among) @{f}(?: only| alone)?[:,]",
            r"(?<=grep|comb|sift|scan) (?:through )?@{f}(?= for\b)",
            r"\b(?:<search comb sift query scan check examine>) (?:through )?@{f}(?= for\b)",
        )
        return None if found is None else self.value(found[0])

    # Free text -------------------------------------------------------------------------------------------------------

    def topic(self, *cues: str, why: str = "what it is about", strict: bool = True) -> str:
        """What follows the first of these cues, up to what was taken out. Raises Missing."""
        for cue in cues:
            found = self.take(
                rf"{cue}:? {{q}}(?= *(?:$|[{CUT},;]|and\b|or\b|but\b|that\b|which\b|are\b|as\b|by\b|first\b|best\b|in\b))"
            )
            if found is None:
                found = self.take(rf"{cue}:? (?=[^\s{CUT}]){{rest}}")
            if found is not None:
                return self.subject(found[-1], why, strict)
        raise Missing(why)

    def subject(self, text: str, why: str = "what it is about", strict: bool = True) -> str:
        """A free text as a question. Raises Missing where it says nothing."""
        text = text.strip(" ,;:?!()")
        text = re.sub(
            r"^(?:that |which )?(?:the (?:topic|subject|theme|question|issue|area)s? (?:of |: ?|about )?)(?=\S)",
            "",
            text,
            flags=re.I,
        )
        text = re.sub(
            r"^(?:(?:some |any |all |more )?(?:information|info|details|material|facts) (?:on|about|regarding|concerning) |(?:what(?:ever)?|everything|all) (?:we|i|you) (?:know|have|wrote|say|have got|got) (?:on|about|regarding|concerning) )(?=\S)",
            "",
            text,
            flags=re.I,
        )
        text = re.sub(
            r",? (?:and )?(?:show|list|give(?: me)?|return|display)(?: only| just| me)?$|[,;]? (?:the )?(?:most relevant|best|closest|nearest|most related|most similar)(?: (?:ones?|files?|matches|first|hits))*$",
            "",
            text,
            flags=re.I,
        )
        text = re.sub(
            r"(?:,? (?:and|or|but|with|that are|which are|that is|in|of|as|by|to|for|then|are|is|first))+$",
            "",
            text,
            flags=re.I,
        ).strip(" ,;:?!()")
        words = re.findall(r"[\w'+#.-]+", text.lower())
        if not text or (
            not MARK.search(text) and (not words or all(word in _NOBODY | _EMPTY for word in words))
        ):
            raise Missing(why)
        if re.search(r"[,;]?\b(?:and|then|or)\s(?:then\s)?(?:\w+\s)?(?:it|them|those|these)$", text, re.I):
            raise Missing("what is to be done first")
        if re.search(
            r"\b(?:can|should|must|may|shall|to)\s(?:all\s)?be\s\w+(?:ed|en|t)\b|[,;]\s(?:and\s)?(?:then\s)?\w+\s(?:them|it|those)\b|\b(?:and|then)\s(?:then\s)?\w+\s(?:them|it|those)\b",
            text,
            re.I,
        ):
            raise Missing("what is to be done first")
        if strict and not re.fullmatch("\ue000[pqfd].", text) and _MORE.search(text):
            raise Missing(f"{why}, in quotation marks")
        return self.plain(text)

    def left(self) -> str:
        return " ".join(self.text.replace(CUT, " ").split())

    def words(self) -> Iterable[str]:
        return re.findall(r"[^\W\d_][\w'-]*", MARK.sub(" ", self.left()).lower())
