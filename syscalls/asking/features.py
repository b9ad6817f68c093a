"""features: what a token looks like to the learned reader: its letters, its kind, what a quotation or a path has in it.

Each feature is a row of a table of weights, found by its checksum (feature hashing, Weinberger et al. 2009), so that a word that nobody
has met before is still known by its beginning, its end and the letters in between (as in Bojanowski et al. 2017).
"""

import re
import zlib
from collections.abc import Sequence

from syscalls.asking.tokens import Token, quoted_path

ROWS = 1 << 13
_ODD = re.compile(r"[-_./*@#:0-9]")


def row(feature: str) -> int:
    """Which row of the table a feature has; row 0 is nobody's."""
    return 1 + zlib.crc32(feature.encode("utf-8", "surrogatepass")) % (ROWS - 1)


def word(token: Token) -> str:
    """What a table of words knows a token by; "" where it is no word."""
    return token.text.lower().replace("’", "'") if token.kind in "wnvbltr" else ""


def features(tokens: Sequence[Token], at: int) -> list[str]:
    """The features of a token in its sentence."""
    token = tokens[at]
    found = ["k=" + token.kind]
    if token.kind == "q":
        found += _quotation(token)
    elif token.kind == "f":
        suffix = re.search(r"\.([A-Za-z0-9]+)$", token.text)
        found += [
            "f",
            "fx=" + (suffix[1].lower() if suffix else ""),
            "f/" if "/" in token.text else "f-",
            "fd" if token.text.endswith("/") else "fn",
        ]
    else:
        found += _word(token)
    if at == 0:
        found.append("first")
    if at == len(tokens) - 1:
        found.append("last")
    if at and tokens[at - 1].end == token.start:
        found.append("glued")
    return found


def _quotation(token: Token) -> list[str]:
    inner = token.inner
    words = inner.split()
    count = len(words)
    found = [
        "q",
        "qp" if quoted_path(token) else "qn",
        f"qn={count if count < 4 else 4 if count < 8 else 8}",
        "qf" if inner[0].isalnum() else "qf=" + inner[0],
        "q0=" + words[0].lower(),
    ]
    if "?" in inner:
        found.append("q?")
    if re.search(r"\b(?:AND|OR|NOT)\b", inner):
        found.append("qX")
    if re.search(r"[.=:{<]", inner):
        found.append("q.")
    if inner[0].isupper():
        found.append("qU")
    if inner.islower():
        found.append("ql")
    if re.search(r"\d", inner):
        found.append("qd")
    return found


def _word(token: Token) -> list[str]:
    text = re.sub(r"\d", "0", token.text.lower().replace("’", "'"))[:40]
    found = ["w=" + text]
    if token.kind == ".":
        return found
    found.append("s=" + _shape(token.text))
    if _ODD.search(token.text):
        found.append("odd")
    edged = f"^{text}$"
    for length in (3, 4):
        found += ["g=" + edged[at : at + length] for at in range(len(edged) - length + 1)]
    found.append("p4=" + text[:4])
    return found


def _shape(text: str) -> str:
    return re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", re.sub(r"\d+", "0", text)))[:6]
