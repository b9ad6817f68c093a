"""names: a prompt as a file name, and back.

`/` is written `∕` (U+2215) or `%2F`, a literal `%2F` is `%252F`. A prompt that fits no name (over 255 bytes, a leading dot, a line
break, a name that file managers probe for) is named `@` and 16 hex digits of its digest, which `/ctl` hands out.
"""

import hashlib
import re
import unicodedata
from collections import OrderedDict

SLASH = "\N{DIVISION SLASH}"
LONGEST = 255  # bytes of a name that every tool and kernel takes
REMEMBERED = 4096  # long prompts kept by their digest; the least recently used one goes first

# Asked for by shells, file managers, editors and desktop indexers in every directory that they see; no one asks them as questions.
PROBES = frozenset(
    (
        "autorun.inf",
        "autorun.sh",
        "desktop.ini",
        "thumbs.db",
        "ehthumbs.db",
        "folder.jpg",
        "folder.png",
        "folder.gif",
        "cover.jpg",
        "cover.png",
        "albumart.jpg",
        "albumartsmall.jpg",
        "system volume information",
        "$recycle.bin",
        "lost+found",
        "backups.backupdb",
        "mach_kernel",
        "network trash folder",
        "temporaryitems",
        "bdmv",
        "video_ts",
        "dcim",
    )
)

_ESCAPED = re.compile("%2[Ff]|%25|" + SLASH)
_MEANING = {"%2f": "/", "%25": "%", SLASH: "/"}
_AMBIGUOUS = re.compile("%(?=2[Ff5])")
_UNSEEN = ("Cc", "Zl", "Zp")
_LONG = re.compile("@[0-9a-f]{16}")


def is_probe(name: bytes) -> bool:
    """Whether `name` is hidden or one that programs look for on their own: never a prompt."""
    return name.startswith(b".") or decode_name(name).lower() in PROBES


def is_long(name: str) -> bool:
    """Whether `name` stands for a prompt that fits no name."""
    return _LONG.fullmatch(name) is not None


def normal(prompt: str) -> str:
    """The one spelling of a prompt: `∕` is `/`."""
    return prompt.replace(SLASH, "/")


def decode_name(name: bytes) -> str:
    """The prompt that a name spells. Bytes that are not UTF-8 become U+FFFD: a prompt is text."""
    return _ESCAPED.sub(lambda match: _MEANING[match[0].lower()], name.decode("utf-8", "replace"))


def encode_name(prompt: str) -> bytes | None:
    """The name that spells `prompt`, so that decode_name(encode_name(p)) == normal(p); None if it fits no name."""
    text = _AMBIGUOUS.sub("%25", normal(prompt)).replace("/", SLASH)
    if not text.strip() or any(character in text for character in "\0\n\r") or is_long(text):
        return None
    try:
        name = text.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return None if len(name) > LONGEST or is_probe(name) else name


def digest_name(prompt: str) -> bytes:
    """`@` and 16 hex digits: the name of a prompt that fits none."""
    digest = hashlib.blake2b(normal(prompt).encode("utf-8", "surrogatepass"), digest_size=8)
    return b"@" + digest.hexdigest().encode("ascii")


class LongNames:
    """Prompts known by digest, bounded. Lives in the daemon's loop; lost at unmount, as the ad-hoc questions are."""

    def __init__(self) -> None:
        self._prompts: OrderedDict[bytes, str] = OrderedDict()

    def name(self, prompt: str) -> bytes:
        """A name below /query that leads to `prompt`; remembered when it is a digest."""
        spelled = encode_name(prompt)
        if spelled is not None:
            return spelled
        name = digest_name(prompt)
        self._prompts[name] = normal(prompt)
        self._prompts.move_to_end(name)
        if len(self._prompts) > REMEMBERED:
            self._prompts.popitem(last=False)
        return name

    def prompt(self, name: bytes) -> str | None:
        """The prompt that `name` stands for, None if it is unknown or no digest."""
        found = self._prompts.get(name)
        if found is not None:
            self._prompts.move_to_end(name)
        return found


def escaped(text: str) -> str:
    """`text` in one line that no terminal obeys: control characters and line breaks are written \\n, \\x1b, \\u2028."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNSEEN
        else character
        for character in text
    )
