"""files_handle: where a sync is waited for."""

import os
import threading

import trio
import trio.testing
from files_tree import ME, Tree, do

from mounts import files_handle
from mounts.files_handle import LITTLE, LONG, Disk


def test_a_quick_disk_is_waited_for_in_the_loop_and_a_slow_sync_sends_the_next_ones_to_a_thread(
    tmp_path, monkeypatch
):
    seen, seconds = [], [0.0]
    clock = [0.0]

    def sync(fd):
        seen.append(threading.current_thread() is threading.main_thread())
        clock[0] += seconds[0]

    monkeypatch.setattr("mounts.files_handle.os.fdatasync", sync)
    monkeypatch.setattr("mounts.files_handle.time.perf_counter", lambda: clock[0])

    async def main():
        disk = Disk()
        await disk.wait(0, True)
        assert seen == [False]  # nothing is known of it yet
        await disk.wait(0, True)
        await disk.wait(0, True, LITTLE + 1)  # much of this one file is to be written
        assert seen == [False, True, False]
        seconds[0] = 2 * LONG
        await disk.wait(0, True)
        seconds[0] = 0.0
        await disk.wait(0, True)
        assert seen[-2:] == [True, False]

    trio.run(main)


def test_before_a_lock_a_write_that_waits_for_its_thread_is_waited_for(tmp_path, monkeypatch):
    tree = Tree(tmp_path)
    tree.make(b"d")
    node = tree.make(b"d/a", b"before")
    seen, slow = [], trio.CapacityLimiter(1)
    monkeypatch.setattr(files_handle, "_disk", slow)
    handle = trio.run(node.open, os.O_WRONLY | os.O_SYNC, ME)

    async def write():
        await handle.write(0, b"AFTER")
        seen.append("written")

    async def flush(path):
        await tree.files.flush(path)
        seen.append(path)

    async def main():
        async with trio.open_nursery() as nursery:
            await slow.acquire_on_behalf_of("a slow disk")
            nursery.start_soon(write)
            await trio.testing.wait_all_tasks_blocked()
            await flush(b"other")
            nursery.start_soon(flush, b"d")
            await trio.testing.wait_all_tasks_blocked()
            slow.release_on_behalf_of("a slow disk")

    trio.run(main)
    assert seen == [b"other", "written", b"d"]
    do(handle.release)
    tree.close()
