"""calls: every call of `syscalls.table` from Python, on a mount that is there.

    from lsfs.calls import Mount

    ctx = Mount("~/ctx")
    ctx.create("notes/refunds.md", text="Refunds over 500 need two signatures.")
    ctx.lock("notes/refunds.md", for_="2h")
    ctx.semantic("who signs a refund", k=3)["hits"]
    plan = ctx.rollback("notes/refunds.md", to="before")
    ctx.rollback(token=plan["token"])

A method is a row: its arguments are the row's, in their order; its options are keywords, `_` for `-`, with a `_` behind what Python keeps
for itself. What comes back is the reply: a dictionary where the call answers with JSON, otherwise text. A call that is refused raises
OSError with the errno of the call and its sentence.

Blocking, and safe in several threads: each call has a descriptor of its own.
"""

import errno
import json
import os
import shlex
from collections.abc import Callable
from typing import Any

from lsfs import mountinfo
from syscalls.table import CALLS, Call

_BY_NAME = {call.word.replace("-", "_"): call for call in CALLS}
_PIECE = 1 << 16


class Mount:
    """The calls of the mount at `path`, or of the one that `path` is in. Raises OSError where nothing of lsfs is mounted."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # a file of the user's may be called ctl as well: what is mounted, the kernel says
        found = mountinfo.holder(os.path.expanduser(path))
        if found is None or not found.is_lsfs or not os.path.exists(os.path.join(found.mountpoint, "ctl")):
            raise OSError(errno.ENOTCONN, "Nothing of lsfs is mounted here", os.fspath(path))
        self.path = found.mountpoint

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = _BY_NAME.get(name.rstrip("_"))
        if call is None:
            raise AttributeError(f"There is no call {name!r}; there are {', '.join(_BY_NAME)}.")

        def method(*arguments: Any, **options: Any) -> Any:
            answer = self.say(line(call, arguments, options))
            return json.loads(answer) if answer.startswith("{") else answer

        method.__name__, method.__doc__ = name, call.summary
        return method

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_BY_NAME]

    def say(self, line: str) -> str:
        """A command line of /ctl, and its reply."""
        fd = os.open(os.path.join(self.path, "ctl"), os.O_RDWR | os.O_CLOEXEC)
        try:
            os.write(fd, line.encode("utf-8", "surrogateescape"))
            return _all(fd)
        except OSError as error:
            raise OSError(error.errno, _all(fd) or os.strerror(error.errno or errno.EIO)) from None
        finally:
            os.close(fd)


def line(call: Call, arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    """The line that makes a call. Raises TypeError for more arguments than the call has."""
    many = bool(call.arguments) and call.arguments[-1].many
    if len(arguments) > len(call.arguments) and not many:
        raise TypeError(f"{call.word} takes {len(call.arguments)} arguments, not {len(arguments)}")
    words = [os.fsdecode(word) if isinstance(word, bytes | os.PathLike) else str(word) for word in arguments]
    if call.arguments and call.arguments[0].kind in ("prompt", "path") and not call.typed:
        if options:
            raise TypeError(f"{call.word} takes no options")
        return " ".join([call.word, *words])
    said = [call.word]
    if call.typed:
        options = {"json": True} | options
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        said.append(option)
        if value is not True:
            said.append(
                shlex.quote(os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value))
            )
    return " ".join([*said, *(["--", *map(shlex.quote, words)] if words else [])])


def _all(fd: int) -> str:
    answer = b""
    while part := os.read(fd, _PIECE):
        answer += part
    return answer.decode("utf-8", "surrogateescape").removesuffix("\n")
