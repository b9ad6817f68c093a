"""options: the words of one line to /ctl, as a shell would split them: `PATH --to X --dry-run`.

    words, options = parse("rollback", "'my notes' --to before --force", flags=("force",), values=("to",), most=1)
    (["my notes"], {"to": "before", "force": ""})

What a call has no use for is refused, so that a word that was misspelt never changes what is done.
"""

import shlex
from collections.abc import Sequence

from syscalls.errors import InvalidArgument


def parse(
    word: str, text: str, *, flags: Sequence[str] = (), values: Sequence[str] = (), most: int = 1
) -> tuple[list[str], dict[str, str]]:
    """The words of a line, `most` at most, and its options: flags stand alone, values have a word of their own. After `--` all are words.

    Raises InvalidArgument, with a sentence, for everything else.
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise InvalidArgument(
            f"`{word} {text[:80]}` has a quote that is not closed; quote a name with blanks as in a shell."
        ) from error
    words: list[str] = []
    options: dict[str, str] = {}
    while parts:
        part = parts.pop(0)
        if part == "--":
            words += parts
            break
        if not part.startswith("--"):
            words.append(part)
            continue
        name, equals, value = part[2:].partition("=")
        if name in options:
            raise InvalidArgument(f"`--{name}` is there twice; say it once.")
        if name in flags and not equals:
            options[name] = ""
        elif name in values and (equals or parts):
            options[name] = value if equals else parts.pop(0)
        elif name in values:
            raise InvalidArgument(f"`{word} --{name}` needs a word behind it.")
        else:
            known = ", ".join(f"--{one}" for one in (*values, *flags)) or "none"
            raise InvalidArgument(f"`{word}` has no option `{part[:40]}`; there are {known}.")
    if len(words) > most:
        raise InvalidArgument(
            f"`{word}` takes {'no word' if not most else 'one word' if most == 1 else f'{most} words'}, not {len(words)};"
            " quote a name with blanks as in a shell."
        )
    return words, options


def path_of(text: str) -> bytes:
    """A path below files/ as people write it: `files/` in front or not, `.` for all of it. Raises InvalidArgument."""
    path = text.strip("/")
    path = "" if path in ("files", ".") else path.removeprefix("files/").strip("/")
    if "\0" in path or (path and any(part in ("", ".", "..") for part in path.split("/"))):
        raise InvalidArgument("A path is written as ls shows it below files/, without `.` and `..`.")
    return path.encode("utf-8", "surrogateescape")


def shown(path: bytes) -> str:
    """A path as ls shows it in the mount, and as `path_of` reads it."""
    return "files/" + path.decode("utf-8", "surrogateescape") if path else "files"
