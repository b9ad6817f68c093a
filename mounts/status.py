"""status: how far the index is and what went wrong.

    /status         one screen for a person
    /status.json    the same for programs; its members are those of lsfs-tree(7)

Rendered when it is opened, for the one who opens it: paths in errors are for the owner of the mount and root. Its size is
not known at stat and it changes all the time, so nothing of it is cached.
"""

import os
from collections.abc import Callable
from typing import Any

from mounts.nodes import Caller, Node, VirtualFile
from mounts.ports import Ports
from mounts.root import Root
from syscalls.status import as_json, as_text, status


class Status(VirtualFile):
    """The report of the daemon, as `form` writes it."""

    attr_timeout = 0.0

    def __init__(self, ports: Ports, form: Callable[[dict[str, Any]], bytes]) -> None:
        async def render(caller: Caller) -> bytes:
            viewer = ports.viewer(caller)
            return form(status(ports.report(viewer), viewer, os.getuid()))

        super().__init__(render)


def serve(root: Root) -> Node:
    """The file /status."""
    return Status(root.ports, lambda report: (as_text(report) + "\n").encode("utf-8", "replace"))


def serve_json(root: Root) -> Node:
    """The file /status.json."""
    return Status(root.ports, as_json)
