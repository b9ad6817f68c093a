"""masks: a sentence in which every thing is one mark: files, folders, quotations, versions, times, durations, numbers.

    said('Could you append "buy milk" to notes.md, please?')      append Q to F     Q: buy milk     F: notes.md

A mark is three private characters: an opening one, the letter of its kind, and its place in `things` with a closing one. So a pattern
meets a thing as one word, whatever is written in it, and what somebody wrote can never be read as a mark or as a second sentence.

    f  a path             p  a path in quotation marks          d  a folder        q  any other quotation
    v  a version          b  so many versions back              n  a number
    t  a time (ISO 8601)  l  a duration                         r  a time that only a clock could tell: yesterday, 2 hours ago
"""

import re
import unicodedata
from dataclasses import dataclass

from syscalls.asking.fillers import stripped
from syscalls.asking.numbers import DURATION, NUMBER, TIME, duration, number, time
from syscalls.asking.words import IMPERATIVES

FIRST = 0xE100
MOST = 400  # things in a sentence
LONGEST = 4000  # characters of a sentence
_MARKS = re.compile("[\ue000-\uf8ff]")


@dataclass(frozen=True, slots=True)
class Thing:
    """kind: as above; value: what an argument takes; raw: as it was written."""

    kind: str
    value: str
    raw: str


@dataclass(frozen=True, slots=True)
class Said:
    """text: the sentence with marks; things: what they stand for; asked: it ends with a question mark."""

    text: str
    things: tuple[Thing, ...]
    asked: bool

    def thing(self, mark: str) -> Thing:
        return self.things[ord(mark[2]) - FIRST]

    def plain(self, text: str) -> str:
        """What was written where `text` has marks."""
        return MARK.sub(lambda match: self.things[ord(match[0][2]) - FIRST].raw, text)


MARK = re.compile("\ue000[a-z][\ue100-\ue8ff]")

_LONG = {
    "gimme": "give me",
    "lemme": "let me",
    "wanna": "want to",
    "gonna": "going to",
    "dont": "don't",
    "doesnt": "doesn't",
    "whats": "what's",
    "lets": "let's",
    "cant": "can't",
    "isnt": "isn't",
    "ur": "your",
}
_SHORT = re.compile(rf"(?<![\w'\"`“‘/.-])(?:{'|'.join(_LONG)})(?![\w'\"`”’/.-])", re.IGNORECASE)
_QUOTED = re.compile(
    r"```(?:\w*\n)?(?P<a>.+?)```|``(?P<b>.+?)``|`(?P<c>[^`]+)`|\"(?P<d>[^\"]*)\"|“(?P<e>[^”]*)”|„(?P<f>[^“”]*)[“”]|«\s?(?P<g>[^»]*?)\s?»"
    r"|(?<![\w.)])'(?P<h>(?:[^']|(?<=\w)'(?=\w))*)'(?!\w)|(?<!\w)‘(?P<i>(?:[^’]|(?<=\w)’(?=\w))*)’(?!\w)",
    re.DOTALL,
)
_PATHLIKE = re.compile(r"(?:~?/|\./)?[^\s/\"'`][^/\n\"`]{0,80}(?:/[^/\n\"`]{1,80})*/?")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}$")
_NO_SUFFIX = frozenset(["e.g", "i.e", "a.m", "p.m", "u.s", "etc", "vs"])
_PATH = re.compile(
    r"(?<![\w/.~@-])(?:\./|~/|/)?(?:[\w@.+~%()\[\]&=,-]*[\w)\]~+-]/)*(?:[\w@.+~%()\[\]&=-]*[\w)\]~+]|[\w.-]+)/?",
    re.UNICODE,
)
_ENDINGS = frozenset([".md", ".html", ".htm", ".txt", ".docx", ".doc", ".pdf"])
_SLASHED = frozenset(
    [
        "and/or",
        "he/she",
        "she/he",
        "his/her",
        "him/her",
        "w/o",
        "w/",
        "n/a",
        "yes/no",
        "either/or",
        "on/off",
        "read/write",
        "input/output",
        "i/o",
    ]
)
_BARE = frozenset(
    [
        "README",
        "LICENSE",
        "LICENCE",
        "CHANGELOG",
        "Makefile",
        "Dockerfile",
        "TODO",
        "NOTICE",
        "AUTHORS",
        "COPYING",
        "Justfile",
        "Procfile",
        "Gemfile",
        "Pipfile",
        "CONTRIBUTING",
        "VERSION",
        "INSTALL",
        "CODEOWNERS",
        "MANIFEST",
        "Rakefile",
        "Jenkinsfile",
        "Vagrantfile",
        "Brewfile",
        "NEWS",
        "HISTORY",
    ]
)
_FILE = r"(?:file|document|doc|text\sfile|textfile|markdown\sfile)"
_FOLDER = r"(?:sub-?folder|sub-?directory|folder|directory|dir)"
_NAMED = r"(?:named|called|titled|with\sthe\sname|by\sthe\sname(?:\sof)?|at)"
_PLAIN = (
    r"(?!(?:about|that|which|who|with|without|from|to|into|in|on|onto|of|for|and|or|is|are|was|were|as|at|by|it|its|the|a|an|all|any|my|this|where|when|what|has|have|named|called|"
    r"titled|until|because|so|again|back|itself|then|not|but|but|should|would|could|can|will|must|may|under|below|inside|containing|contains|contain|matching|whose|there|"
    r"up|out|via|too|after|before|since|than|now|please|history|system|systems|contents?|versions?|link|read-only|readable|writable|watch|lock|locked|i|you|we|says|say|said|tells|tell|explains|explain|describes|describe|shows|show|mentions|mention|discusses|discuss|covers|cover|deals|deal|talks|talk|answers|answer|looks|contained|exists|exist|names|name|path|type|types|tree|kind|changes|changed|anything|be|been|being|get|gets|got)(?![\w-]))[\w@.+~%-]*\w"
)
_ADJECTIVES = frozenset(
    [
        "new",
        "old",
        "same",
        "whole",
        "entire",
        "other",
        "first",
        "second",
        "third",
        "last",
        "next",
        "previous",
        "current",
        "wrong",
        "right",
        "big",
        "small",
        "large",
        "empty",
        "blank",
        "text",
        "deleted",
        "removed",
        "lost",
        "latest",
        "newest",
        "oldest",
        "single",
        "one",
        "two",
        "three",
        "each",
        "every",
        "only",
        "full",
        "named",
        "given",
        "following",
        "above",
        "source",
        "target",
        "original",
        "destination",
        "resulting",
        "combined",
        "merged",
        "joined",
        "locked",
        "unlocked",
        "shared",
        "my",
        "your",
        "our",
        "their",
        "its",
        "this",
        "that",
        "these",
        "those",
        "existing",
        "missing",
        "important",
        "different",
        "certain",
        "specific",
        "particular",
        "actual",
        "live",
        "relevant",
        "related",
        "similar",
        "matching",
        "good",
        "best",
        "top",
        "markdown",
        "html",
        "docx",
        "pdf",
        "word",
        "plain",
        "text",
        "csv",
        "json",
        "log",
        "index",
        "parent",
        "root",
        "complete",
        "output",
        "input",
        "config",
        "configuration",
        "saved",
        "such",
        "any",
        "some",
        "all",
        "no",
        "many",
        "few",
        "more",
        "most",
        "binary",
        "read-only",
        "writable",
        "hidden",
        "temporary",
        "second-to-last",
        "both",
        "either",
        "answer",
        "another",
        "many",
        "whichever",
        "what",
        "which",
        "whose",
        "newly",
        "just",
        "following",
        "said",
        "mentioned",
        "the",
        "a",
        "an",
        "of",
        "in",
        "archive's",
        "trash",
        "recovered",
        "project",
        "result",
        "results",
        "underlying",
        "backing",
        "mounted",
    ]
)


def said(prompt: str) -> Said:
    """Take a sentence apart. Never raises; what is too long is cut, and then has a word that nothing explains."""
    return _Masking(prompt).done()


class _Masking:
    def __init__(self, prompt: str) -> None:
        text = unicodedata.normalize("NFC", prompt[:LONGEST]).replace("\0", " ")
        text = "".join(char if char in "\n\t" or unicodedata.category(char) != "Cc" else " " for char in text)
        text = _SHORT.sub(lambda match: _LONG[match[0].lower()], _MARKS.sub(" ", text))
        self.text = text.strip()
        if len(prompt) > LONGEST:
            self.text += " …"
        self.things: list[Thing] = []
        self.asked = False

    def mark(self, kind: str, value: str, raw: str) -> str:
        if len(self.things) >= MOST:
            return " … "
        self.things.append(Thing(kind, value, raw))
        return f"\ue000{kind}{chr(FIRST + len(self.things) - 1)}"

    def done(self) -> Said:
        self._markdown()
        self._called()
        self.text = _QUOTED.sub(self._quoted, self.text)
        self.text = " ".join(self.text.split())
        self._polite()
        self.text = re.sub(
            r"(?<![\w/.-])(path|file|folder|dir|directory|target|source|dest|into|in|to|from)=(?=[\w./])",
            r"\1: ",
            self.text,
        )
        self.text = re.sub(
            r"^(mk|rm)dir (?:-p )?(?:\./)?query/(?=\ue000[qp].$)",
            lambda match: f"{'save' if match[1] == 'mk' else 'forget'} the question ",
            self.text,
        )
        self.text = re.sub(
            r"\b(in|into|below|under|from|to|on|inside|within|of) (?:the )?(?:folder )?query/(?=[\s.,;:!?]|$)",
            r"\1 the list of saved questions",
            self.text,
        )
        self.text = TIME.sub(self._time, self.text)
        self.text = _PATH.sub(self._path, self.text)
        self._nouns()
        self.text = self.text.replace("’", "'")
        self._versions()
        self.text = DURATION.sub(self._duration, self.text)
        self._relative()
        self.text = NUMBER.sub(self._number, self.text)
        self._polite()
        return Said(" ".join(self.text.split()), tuple(self.things), self.asked)

    def _markdown(self) -> None:
        fence = re.fullmatch(r"\s*```(?:\w*\n)?(.*?)\s*```\s*", self.text, re.DOTALL)
        if fence and "`" not in fence[1]:
            self.text = fence[1]
        self.text = re.sub(r"(?<!\*)\*\*([^*\n]+)\*\*(?!\*)", r"\1", self.text)
        self.text = re.sub(r"(?<![\w/_\"'`“])__([^_\n]*[ .\"'`][^_\n]*)__(?![\w_.(])", r"\1", self.text)

    def _called(self) -> None:
        """`lock(path="a.md", for="2h")` as a request that is written like a form."""
        match = re.fullmatch(r"(?:lsfs[. ])?([A-Za-z]+)\s*\((.+)\)\s*;?", self.text, re.DOTALL)
        if match is None or not re.search(r"^\s*(?:[A-Za-z_]+\s*[=:]\s*)?[\"'`\[]", match[2]):
            return
        inner = re.sub(
            r"(^|,)\s*([A-Za-z_]+)\s*[=:]\s*", lambda one: f"{';' if one[1] else ''} {one[2]}: ", match[2]
        )
        inner = re.sub(r"(for|until|at|version|by|to|how|k): ([\"'`])([^\"'`]*)\2", r"\1: \3", inner)
        self.text = f"{match[1]}; {inner.strip()}"

    def _polite(self) -> None:
        self.text, asked = stripped(self.text)
        self.asked = self.asked or asked

    def _quoted(self, match: re.Match[str]) -> str:
        inner = next(one for one in match.groups() if one is not None)
        if not inner.strip():
            return match[0] if len(self.things) >= MOST else self.mark("q", inner, match[0])
        trimmed = inner.strip()
        kind = "q"
        if (
            "\n" not in inner
            and len(trimmed) <= 255
            and is_path(trimmed)
            and len(trimmed.split()) <= 6
            and trimmed.split()[0].lower() not in IMPERATIVES
        ):
            kind = "p"
        before = " " if self.text[match.start() - 1 : match.start()].isalnum() else ""
        return before + self.mark(kind, trimmed if kind == "p" else inner, match[0])

    def _time(self, match: re.Match[str]) -> str:
        found = time(match)
        return self.mark("t", found, match[0].strip()) + " " if found else match[0]

    def _path(self, match: re.Match[str]) -> str:
        word = match[0]
        bare = word.rstrip(".,:;!?)]" if "(" not in word and "[" not in word else ".,:;!?")
        if not bare or "\ue000" in bare:
            return word
        rest = word[len(bare) :]
        if bare[0] in "([":
            return word  # the end of a name with blanks in it
        slashed = "/" in bare.strip("/") or bare.endswith("/") or bare.startswith(("/", "./", "~/"))
        if bare.lower() in _ENDINGS:
            return word
        named = bare in _BARE or bare.startswith(".") and len(bare) > 2 and bare[1].isalpha()
        if slashed:
            if bare.lower() in _SLASHED or re.fullmatch(r"[\d/.:+-]+|/+", bare):
                return word
        elif not named and not (_SUFFIX.search(bare) and len(bare) > 3 and bare.lower() not in _NO_SUFFIX):
            return word
        if re.fullmatch(r"v?\d+(?:\.\.+|-)v?\d+|[\w-]+\.\.+[\w-]+", bare, re.I):
            return word  # from one version to another
        if not slashed and "@" in bare:
            return word  # an address
        return self.mark("d" if bare.endswith("/") else "f", bare, bare) + rest

    def _nouns(self) -> None:
        """`the file X`, `the folder X`, `the X file`: one mark."""
        the = r"(?:(?:the|a|an|my|our|your|this|that)\s)?"
        mark = "(\ue000[fpdq][\ue100-\ue8ff])"
        again = self._again
        text = re.sub(rf"\b{the}{_FOLDER}(?:\s{_NAMED})?:?\s{mark}", again("d"), self.text, flags=re.I)
        text = re.sub(rf"(?<![\w-]){the}{mark}\s{_FOLDER}\b", again("d"), text, flags=re.I)
        text = re.sub(
            rf"\b{the}{_FOLDER}(?:\s{_NAMED})?\s({_PLAIN})(?![\w/])", self._plain("d"), text, flags=re.I
        )
        text = re.sub(rf"\b(?:the|my|our)\s({_PLAIN})\s{_FOLDER}\b", self._plain("d"), text, flags=re.I)
        files = rf"\b{the}{_FILE}(?:\s{_NAMED})?:?\s"
        text = re.sub(rf"\bfiles\s(?:(?:named|called)\s)?{mark}", self._again("f"), text, flags=re.I)
        text = re.sub(rf"{files}{mark}", again("f"), text, flags=re.I)
        text = re.sub(rf"(?<![\w-]){the}{mark}\s{_FILE}\b", again("f"), text, flags=re.I)
        text = re.sub(rf"{files}({_PLAIN})(?![\w/\ue000])", self._plain("f"), text, flags=re.I)
        text = re.sub(rf"\b(?:the|my|our)\s({_PLAIN})\s{_FILE}\b", self._plain("f"), text, flags=re.I)
        self.text = text

    def _again(self, kind: str):  # type: ignore[no-untyped-def]
        def change(match: re.Match[str]) -> str:
            mark = match[1]
            place = ord(mark[2]) - FIRST
            old = self.things[place]
            if kind == "f" and mark[1] == "d":
                return match[0]
            new = "p" if old.kind in "pq" and kind == "f" else kind
            value = old.value.strip() if new in "pd" else old.value
            if not value or "\n" in value:
                return match[0]
            self.things[place] = Thing(new, value, old.raw)
            return f"\ue000{new}{mark[2]}"

        return change

    def _plain(self, kind: str):  # type: ignore[no-untyped-def]
        def change(match: re.Match[str]) -> str:
            word = match[1]
            if word.lower() in _ADJECTIVES:
                return match[0]
            return self.mark(kind, word, match[0])

        return change

    def _versions(self) -> None:
        from syscalls.asking.numbers import ABSOLUTE, BACK, BEFORE, ORDINAL, ORDINALS, SECOND, SHORT

        def absolute(match: re.Match[str]) -> str:
            one = self.mark("v", str(number(match["one"])), match[0] if not match["two"] else match["one"])
            if not match["two"]:
                return one
            return f"{one} {match['and']} {self.mark('v', str(number(match['two'])), match['two'])}"

        def back(match: re.Match[str]) -> str:
            return self.mark("b", str(number(match["n"])), match[0])

        def both(match: re.Match[str]) -> str:
            one, two = (self.mark("v", str(number(match[name])), match[name]) for name in ("one", "two"))
            return f"{one} {match['and']} {two}"

        text = BACK.sub(back, ORDINALS.sub(both, self.text))
        text = BEFORE.sub(lambda match: self.mark("b", "1", match[0]), text)
        text = SECOND.sub(lambda match: self.mark("b", "2", match[0]), text)
        text = SHORT.sub(absolute, ABSOLUTE.sub(absolute, text))
        self.text = ORDINAL.sub(lambda match: self.mark("v", str(number(match["n"])), match[0]), text)

    def _duration(self, match: re.Match[str]) -> str:
        found = duration(match)
        if found is None:
            return match[0]
        if match["ago"]:
            return self.mark("r", match[0], match[0])
        return self.mark("l", found, match[0])

    def _relative(self) -> None:
        from syscalls.asking.numbers import RELATIVE

        self.text = RELATIVE.sub(lambda match: self.mark("r", match[0], match[0]), self.text)

    def _number(self, match: re.Match[str]) -> str:
        return self.mark("n", str(number(match[0])), match[0])


def is_path(text: str) -> bool:
    """Whether a quotation looks like a path: it has a suffix, or folders."""
    if _PATHLIKE.fullmatch(text) is None or text.endswith("."):
        return False
    if _SUFFIX.search(text):
        return True
    return (
        "/" in text
        and " " not in text
        and not re.fullmatch(r"[\d/.:+-]+", text)
        and text.lower() not in _SLASHED
    )
