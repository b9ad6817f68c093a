"""root: the top of the mount. Its entries are the rows of `mounts.tree`; the space it reports is that of the folder."""

import os
from typing import Any

from mounts.answers import Answers
from mounts.files import Files
from mounts.nodes import Node, VirtualDirectory
from mounts.ports import Ports


class Root(VirtualDirectory):
    """The directory `/`. `answers` is what the daemon refreshes and counts searches by, `files` what it attaches."""

    __slots__ = ("ports", "answers", "files")

    def __init__(self, ports: Ports, answers: Answers, files: Files) -> None:
        super().__init__()
        self.ports = ports
        self.answers = answers
        self.files = files

    async def statfs(self) -> Any:
        return os.statvfs(self.ports.root_fd)


def live(root: Root) -> Node:
    """The directory /files."""
    return root.files.root
