"""A World (`history_tree`) with the port Folder, wired as the daemon wires it."""

import os

from history_tree import HIDDEN, World

from lsfs.editing.folder import LiveFolder
from mounts.ports import Unguarded
from syscalls.values import Edit, Viewer

ME = Viewer(os.getuid(), os.getgid())


class Editing(World):
    """A folder that is edited, nobody else being there."""

    async def _start(self):
        await super()._start()
        while self.follow.scanning:
            await self.follow.moved_on()
        self.editing = LiveFolder(
            self.history,
            hidden=HIDDEN,
            guard=self.history.guard or Unguarded(),
            read_only=self.settings.read_only,
        )
        files, carry = self.tree.files, self.history.rollback.carry
        carry.writers, carry.stale, carry.veil = files.writers, files.stale, files.veil
        carry.unsettled = files.unsettle
        self.editing.stale, self.editing.virtual = files.stale, (b".query", b".versions")

    def change(self, *edits, viewer=ME, what="a change", expected=None):
        async def act():
            await self.editing.change(what, edits, viewer, expected=expected)

        self.call(act)

    def made(self, path, data=b"text", **more):
        """A new file."""
        self.change(Edit(path, "create", data, **more))

    def take_back(self, viewer=ME):
        """undo, as `lsfs undo --yes` does it; the plan."""

        async def act():
            rollback = self.history.rollback
            plan = await rollback.undo(viewer)
            asked = rollback._asked.pop(plan["token"])
            await rollback._perform(asked, viewer, False)
            await rollback.carry.tidy()
            return plan

        return self.call(act)
