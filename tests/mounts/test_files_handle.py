"""files_handle: where a sync is waited for."""

import threading

import trio

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
