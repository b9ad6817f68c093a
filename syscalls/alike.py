"""alike: the files that `like:` of a prompt names, as far as the viewer may have others compared with them.

A file that he may not read is one that is not there: it is not handed to the index, and the note is the same. What the index has read of
a file may have been written for other readers where its content was replaced since, so only those who may read everything have it used.
The rights are looked at once more when the index has answered, since they may have changed meanwhile.

Threading: in the loop, for as long as it takes to look at some files.
"""

from collections.abc import Callable
from typing import Any

from syscalls.values import Prompt

GONE = (
    "`like:{}` was left out: there is no file of that path that you may read and that is indexed; "
    "write it as ls shows it below files/, in quotes where it has blanks"
)
BARE = "`like:{}` was left out: the index has no text of it, so nothing can be like it; name a file with text"
SOON = "`like:{}` was left out: it was just changed, and is not read again yet; ask again in a moment"


def spellings(value: str, folder: bytes) -> list[bytes]:
    """The paths that a `like:` may mean, from the folder's root: hits are shown as files/…, so that spelling is taken, too."""
    path = value.encode("utf-8", "surrogatepass")
    return [folder + b"/" + path if folder else path] + (
        [path.removeprefix(b"files/")] if path.startswith(b"files/") else []
    )


class Alike:
    """The files of one question. `used`: what is asked of the index; `notes`: why others were left out."""

    def __init__(
        self, prompt: Prompt, folder: bytes, readable: Callable[[bytes], bool], trusted: bool
    ) -> None:
        """readable: by the viewer; trusted: whether he may read everything."""
        self._readable, self._trusted = readable, trusted
        self.notes: list[str] = []
        self._asked: dict[str, bytes] = {}
        for value in prompt.like:
            path = next((path for path in spellings(value, folder) if readable(path)), None)
            if path is None:
                self.notes.append(GONE.format(value))
            else:
                self._asked[value] = path

    @property
    def used(self) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(self._asked.values()))

    def hold(self, answer: dict[str, Any]) -> bool:
        """Whether an answer compares with nothing but what it may; otherwise it is to be asked again, of what is left."""
        known = {found["path"]: found for found in answer.get("like", ())}
        hold = True
        for value, path in list(self._asked.items()):
            found = known.get(path)
            stale = found is not None and found["stale"] and not self._trusted
            if found is None or not self._readable(path):
                self._leave(value, GONE)
            elif stale or not found["passages"]:
                self._leave(value, SOON if found["stale"] else BARE)
            else:
                continue
            hold = hold and (found is None or not found["passages"])
        return hold

    def _leave(self, value: str, why: str) -> None:
        del self._asked[value]
        self.notes.append(why.format(value))
