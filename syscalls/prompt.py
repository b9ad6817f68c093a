"""prompt: the small language that names are written in.

    words        rank by words and by meaning          "a phrase"       must occur
    -word        must not occur                        AND OR NOT ( )   conditions; NOT binds before AND, AND before OR
    refund*      a word that begins so must occur      "two sign*"      the same of the last word of a phrase
    in:papers/   type:pdf,docx   after:2025   before:2026-03-01   by:USER   limit:50|all   mode:words|meaning|both
    like:papers/a.md   ranks by how much a file is like that one

Words that stand side by side are soft: they rank and exclude nothing; inside a condition they must occur, as they are written
(`syscalls.terms` says what a word is). `in:`, `type:` and `like:` may be given
several times; the first two then mean any of them, `like:` all together. A value with blanks is quoted: in:"my papers/". Nothing is an
error: a prompt that does not parse is searched as words, a field whose value makes no sense is a word, and the notes say so.

Pure; `parse` is called in the daemon's loop and takes well under a millisecond for a prompt that fits a name.
"""

import functools
import posixpath
import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

from lark import Lark, Token, Tree, UnexpectedInput

from syscalls.errors import InvalidArgument
from syscalls.kinds import is_known, unknown
from syscalls.names import normal
from syscalls.terms import MOST_IN_PHRASE, leaves, tokens
from syscalls.values import Prompt
from syscalls.when import when

MOST_HITS = 1 << 22  # limit:all; more than a folder has files
MOST_WORDS = 256  # that rank; a pasted page has more, and no index is faster for them
MOST_ALIKE = 16  # files that others are compared with
LONGEST, DEEPEST = (
    4095,
    200,
)  # bytes of its path that the kernel takes, and folders, each of which is looked at
MOST_TERMS = 64  # of conditions, and of nesting: below the depth that SQLite and Python take
MODES = ("both", "words", "meaning")

LONE = "a quotation mark has no partner; its words were searched as words"
_BREAKS = re.compile(r"[\s/\\,;:!?\"“”„«»()\[\]{}<>|…¿¡—–=]+")
_LIST = re.compile(
    r"(?i)(?<![^\s(\-])type:[^\s()\"\u201c]{0,400},(?P<blank>\s+)(?P<word>\.?[\w+\-]{2,})(?=[\s,.;?!)]|$)"
)
# possessive, and found one after the other: a line to ctl has 64 KiB, and is looked through in the daemon's loop
_PATH = re.compile(
    r"""(?:^|(?<=[\s(]))(in|like):(?:["“][^"”]*+(?:["”][^\s()]*+)?+|[^\s()"“]*+)""", re.IGNORECASE
)
_OPERATORS = ("AND", "OR", "NOT", "MINUS", "OPEN", "CLOSE")


def parse(text: str) -> Prompt:
    """How `text` is read. Never raises: what cannot be read otherwise is words."""
    text = normal(text)
    return replace(_parsed(_listed(text)), text=text)


def _listed(text: str) -> str:
    """`type:md, txt` as one field, of the same length: blanks within its list, before a word that is a type, are commas."""
    start = 0
    while (found := _LIST.search(text, start)) is not None:
        if is_known(found["word"]):
            first, end = found.span("blank")
            text = text[:first] + "," * (end - first) + text[end:]
            start = found.start()
        else:
            start = found.end()
    return text


def _parsed(text: str) -> Prompt:
    kinds = [token.type for token in _grammar().lex(text)]
    if _nesting(text) > MOST_TERMS:
        return _as_words(
            text, "too many parentheses or exclusions; operators and parentheses were searched as words"
        )
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput:
        return _as_words(text, "an operator or a parenthesis has no partner; they were searched as words")
    reading = _Reading(text, logical=any(kind in _OPERATORS[:4] for kind in kinds))
    condition = reading.read(tree.children[0], positive=True, hard=False)
    if _size(condition) > MOST_TERMS:
        return _as_words(text, f"more than {MOST_TERMS} conditions; operators were searched as words")
    return reading.prompt(condition)


def demanded(expression: str) -> str:
    """The prompt for all files that fulfil an expression, in which every word is a condition. Raises InvalidArgument for what `parse` would
    read as words, drop, or say in a note."""
    text = _listed(normal(expression))
    if not text.strip():
        raise InvalidArgument("The expression needs at least one word.")
    if _nesting(text) > MOST_TERMS:
        raise InvalidArgument("The expression has too many parentheses or exclusions.")
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput:
        raise InvalidArgument(
            "An operator or a parenthesis of the expression has no partner; write `a AND (b OR c)`, and quote what is no operator."
        ) from None
    reading = _Reading(text, strict=True)
    condition = reading.read(tree.children[0], positive=True, hard=True)
    if reading.notes:
        raise InvalidArgument(f"The expression cannot be exact: {reading.notes[0]}.")
    if condition is None:
        raise InvalidArgument("The expression needs at least one word.")
    if _size(condition) > MOST_TERMS:
        raise InvalidArgument(f"The expression has more than {MOST_TERMS} words and phrases.")
    if empty := next((said for _, said in leaves(condition) if not tokens(said)), None):
        raise InvalidArgument(f"{empty[:40]!r} has no letter and no digit, so no file can be found by it.")
    if condition[0] == "word":
        condition = ("phrase", condition[1])  # a word alone would be soft
    return " ".join(["mode:words limit:all", *reading.narrowed, describe(condition)])


def _nesting(text: str) -> int:
    """How deep a tree of this text could be: asked before one is made."""
    return sum(token.type in ("OPEN", "NOT", "MINUS") for token in _grammar().lex(text))


def continues(text: str) -> bool:
    """Whether `text` ends inside the path of an `in:` or a `like:`, so that a slash after it belongs to the prompt."""
    return bool(continued(text))


def continued(text: str) -> str:
    """The field whose path `text` ends in, `in` or `like`; "" for none."""
    return next((found[1].lower() for found in _PATH.finditer(text) if found.end() == len(text)), "")


def describe(condition: tuple | None) -> str:
    """A condition in the prompt's own language, fully parenthesised; "" for none."""
    if condition is None:
        return ""
    kind, value = condition
    if kind == "word":
        return f'"{value}"' if value in _OPERATORS else str(value)
    if kind == "phrase":
        return f'"{value}"'
    if kind == "prefix":
        return f'"{value}*"' if " " in value else f"{value}*"
    if kind == "not":
        return f"NOT {describe(value)}"
    return "(" + f" {kind.upper()} ".join(describe(part) for part in value) + ")"


@functools.cache
def _grammar() -> Lark:
    grammar = Path(__file__).with_name("prompt.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", propagate_positions=True)


def _is_token(value: object) -> bool:
    return isinstance(value, Token)


def _as_words(text: str, note: str) -> Prompt:
    """The reading of last resort: fields, phrases and -words hold, operators and parentheses are words."""
    reading = _Reading(text)
    conditions, excluding = [], False
    for token in _grammar().lex(text):
        if token.type == "MINUS":
            reading.cut(token)
        if token.type in _OPERATORS:
            excluding = token.type == "MINUS"
            reading.words.extend(_pieces(token))
            reading.soft = True
            continue
        leaf = reading.leaf(token, positive=not excluding, hard=excluding)
        if excluding:
            reading.cut(token)
            leaf = leaf and ("not", leaf)
        conditions.append(leaf)
        excluding = False
    found = [condition for condition in conditions if condition is not None][:MOST_TERMS]
    reading.notes.append(note)
    return reading.prompt(_joined("and", found))


def _joined(kind: str, parts: list[tuple]) -> tuple | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return (kind, tuple(parts))


def _size(condition: tuple | None) -> int:
    if condition is None:
        return 0
    kind, value = condition
    if kind == "not":
        return _size(value)
    return sum(map(_size, value)) if kind in ("and", "or") else 1


def _pieces(text: str) -> list[str]:
    """The words of a text, without the punctuation around them; marks inside (don't, built-in, v1.2) stay."""
    return [word for word in (_stripped(piece) for piece in _BREAKS.split(text)) if word]


def _stripped(text: str) -> str:
    first, last = 0, len(text)
    while first < last and not _counts(text[first]):
        first += 1
    while last > first and not _counts(text[last - 1]):
        last -= 1
    return text[first:last]


def _is_starred(text: str) -> bool:
    """Does it end in a star that means "whatever follows"? One star is Markdown's where another stands before it."""
    text = text.strip('"“”').rstrip(".,;:?!")
    return text.endswith("*") and text.count("*") == 1 and _counts(text[-2:-1] or "*")


def _counts(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _is_lone(word: str) -> bool:
    """Does `word` hold a quotation mark without a partner? The inches of 5" have none, and „ opens otherwise."""
    marks = re.sub(r'(?<=\d)"', "", word)
    return marks.count('"') % 2 == 1 or ("“" in marks and "”" not in marks and word.startswith("“"))


@dataclass
class _Reading:
    """What has been understood so far; one for each parse."""

    text: str
    words: list[str] = field(default_factory=list)
    cuts: list[tuple[int, int]] = field(
        default_factory=list
    )  # spans of the text that carry no positive meaning
    notes: list[str] = field(default_factory=list)
    fields: Prompt = field(default_factory=lambda: Prompt(""))
    logical: bool = False  # operators occur, so parentheses are not the text's own
    strict: bool = False  # an expression: what would be dropped is said in a note
    soft: bool = False  # there are words that only rank
    narrowed: list[str] = field(default_factory=list)  # the fields that were understood, as they stand

    def cut(self, token: Token) -> None:
        self.cuts.append((token.start_pos or 0, token.end_pos or 0))

    def read(self, tree: Tree[Token] | Token, positive: bool, hard: bool) -> tuple | None:
        if isinstance(tree, Token):
            return None
        if tree.data in ("word", "phrase", "field"):
            return self.leaf(next(tree.scan_values(_is_token)), positive, hard)
        for token in tree.children:
            if isinstance(token, Token) and (token.type in ("AND", "OR") or self.logical):
                self.cut(token)
        if tree.data == "without":
            if positive:
                self.cuts.append((tree.meta.start_pos, tree.meta.end_pos))
            excluded = self.read(tree.children[1], not positive, hard=True)
            return None if excluded is None else ("not", excluded)
        if (
            self.strict
            and tree.data == "either"
            and any(token.type == "FIELD" for token in tree.scan_values(_is_token))
        ):
            self.notes.append("a field narrows all of it, so it cannot stand beside OR")
        if self.strict and tree.data == "items" and not tree.children:
            self.notes.append("there is nothing in a parenthesis")
        hard = hard or tree.data in ("either", "both")
        parts = [self.read(child, positive, hard) for child in tree.children]
        return _joined("or" if tree.data == "either" else "and", [part for part in parts if part is not None])

    def leaf(self, token: Token, positive: bool, hard: bool) -> tuple | None:
        if token.type == "WORD" and _is_lone(token) and LONE not in self.notes:
            self.notes.append(LONE)
        if token.type == "FIELD" and self.understood(token, positive):
            self.cut(token)
            return None
        pieces = _pieces(token)
        if positive:
            self.words.extend(pieces)
        if not pieces:
            if self.strict:
                self.notes.append(f"`{token[:40]}` has no letter and no digit")
            return None
        starred = _is_starred(token)
        if not (hard or starred or token.type == "PHRASE"):
            self.soft |= positive
            return None
        said = " ".join(pieces)
        if len(said) > MOST_IN_PHRASE and len(tokens(said)) > MOST_IN_PHRASE:
            self.notes.append(
                f"a phrase has {MOST_IN_PHRASE} words at most; a longer one was searched as words"
            )
            self.soft |= positive
            return None
        if starred:
            return ("prefix", said)
        return ("phrase" if token.type == "PHRASE" or len(pieces) > 1 else "word", said)

    def understood(self, token: Token, positive: bool) -> bool:
        """Take a field over; False, with a note, if it means nothing and is a word after all."""
        name, _, value = token.partition(":")
        value = re.sub('["“”]', "", value)
        try:
            if not positive:
                raise ValueError("a field cannot be excluded")
            self.fields = _FIELDS[name.lower()](self.fields, value)
        except ValueError as error:
            self.notes.append(f"`{token}` was searched as a word: {error}")
            return False
        if name.lower() == "type" and not self.strict:
            types = (one.strip() for one in value.rstrip("?!.;").split(","))
            self.notes.extend(unknown(one) for one in dict.fromkeys(types) if one and not is_known(one))
        if self.strict and name.lower() in ("limit", "mode", "like"):
            self.notes.append(f"`{token}` is for questions, not for an expression")
        self.narrowed.append(str(token))
        return True

    def prompt(self, condition: tuple | None) -> Prompt:
        words = (
            self.words
        )  # as they were said: what is said twice counts twice, and what stands together may belong together
        if len(words) > MOST_WORDS:
            self.notes.append(f"only the first {MOST_WORDS} of {len(words)} words rank")
        kept, position = [], 0
        for first, end in sorted(self.cuts):
            kept.append(self.text[position : max(first, position)])
            position = max(end, position)
        kept.append(self.text[position:])
        meaning = " ".join(" ".join(kept).split())
        return replace(
            self.fields,
            text=self.text,
            words=tuple(words[:MOST_WORDS]),
            meaning=meaning if words else "",
            condition=condition,
            exact=condition is not None and not self.soft and not self.fields.like,
            notes=tuple(self.notes),
        )


def _within(prompt: Prompt, value: str) -> Prompt:
    path = _path(value)
    if path == ".":
        return prompt
    return replace(prompt, within=tuple(dict.fromkeys((*prompt.within, path))))


def _like(prompt: Prompt, value: str) -> Prompt:
    path = _path(value)
    if path == "." or "\0" in path:
        raise ValueError("it takes the path of a file")
    if path.count("/") > DEEPEST or len(path.encode("utf-8", "surrogatepass")) > LONGEST:
        raise ValueError("no file has a path as long as this")
    like = tuple(dict.fromkeys((*prompt.like, path)))
    if len(like) > MOST_ALIKE:
        raise ValueError(f"files are compared with {MOST_ALIKE} at most")
    return replace(prompt, like=like)


def _path(value: str) -> str:
    """A path of the folder that is asked, from there."""
    path = posixpath.normpath(value.lstrip("/") or ".")
    if path == ".." or path.startswith("../"):
        raise ValueError("the path leads out of the folder")
    return path


def _type(prompt: Prompt, value: str) -> Prompt:
    names = [name.strip().lstrip(".").lower() for name in value.rstrip("?!.;").split(",")]
    names = [name for name in names if name]
    if not names or not all(re.fullmatch(r"[\w+\-]+", name) for name in names):
        raise ValueError("a type is a suffix such as pdf or md, several joined by commas")
    return replace(prompt, types=tuple(dict.fromkeys((*prompt.types, *names))))


def _after(prompt: Prompt, value: str) -> Prompt:
    first = when(value)[0]
    return replace(prompt, after=first if prompt.after is None else max(first, prompt.after))


def _before(prompt: Prompt, value: str) -> Prompt:
    first = when(value)[0]
    return replace(prompt, before=first if prompt.before is None else min(first, prompt.before))


def _by(prompt: Prompt, value: str) -> Prompt:
    if not re.fullmatch(r"[A-Za-z0-9_.][\w.\-]*\$?", value, re.ASCII):
        raise ValueError("an owner is the name or number of a user, or `me`")
    return replace(prompt, by=value)


def _limit(prompt: Prompt, value: str) -> Prompt:
    if value.lower() == "all":
        return replace(prompt, limit=MOST_HITS)
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) < 1:
        raise ValueError("a limit is a number from 1 on, or `all`")
    return replace(prompt, limit=min(int(value), MOST_HITS))


def _mode(prompt: Prompt, value: str) -> Prompt:
    if value.lower() not in MODES:
        raise ValueError(f"a mode is one of {', '.join(MODES)}")
    return replace(prompt, mode=value.lower())


_FIELDS = {
    "in": _within,
    "like": _like,
    "type": _type,
    "after": _after,
    "before": _before,
    "by": _by,
    "limit": _limit,
    "mode": _mode,
}
