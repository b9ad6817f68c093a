"""Below the handlers: how requests are waited for, how the mount is agreed on, how a known entry is listed."""

import errno
import os
import socket
import struct
import types

import pyfuse3
import pytest
import trio
import trio.testing

from mounts import fuse_init
from mounts.fuse_entries import known, translated
from mounts.fuse_init import DONT_MASK, HANDLE_KILLPRIV_V2, INIT, Agreement
from mounts.fuse_wait import IN_A_ROW, Lock, Waits

# --- The agreement


def exchange(offered, error=0, wanted=1):
    """What the kernel hears, at the end of an agreement in which it offers these flags."""
    kernel, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with kernel, device:
        request = struct.pack("=IIQQIIII", 104, INIT, 2, 0, 0, 0, 0, 0) + struct.pack(
            "=IIII48x", 7, 45, 4096, offered
        )
        kernel.send(request)
        fd = os.dup(device.fileno())
        agreement = Agreement(fd)
        assert os.read(fd, 8192) == request  # as libfuse reads it
        os.write(
            fd,
            struct.pack("=IiQ", 80, error, 2)
            + (b"" if error else struct.pack("=IIII48x", 7, 38, 4096, wanted)),
        )
        agreement.complete()
        reply = kernel.recv(8192)
        os.write(fd, b"the next reply")  # goes to the kernel again
        assert kernel.recv(100) == b"the next reply"
        os.close(fd)
    return reply


def test_the_kernel_hears_that_set_user_id_and_umask_are_our_affair_where_it_offered_that():
    reply = exchange(HANDLE_KILLPRIV_V2 | DONT_MASK | 3)
    assert struct.unpack_from("=I", reply, 28)[0] == HANDLE_KILLPRIV_V2 | DONT_MASK | 1
    assert len(reply) == 80 and struct.unpack_from("=IIQ", reply) == (80, 0, 2)


def test_what_was_not_offered_or_failed_is_handed_on_as_it_is():
    assert struct.unpack_from("=I", exchange(3), 28)[0] == 1
    assert exchange(HANDLE_KILLPRIV_V2, error=-errno.EPROTO) == struct.pack("=IiQ", 80, -errno.EPROTO, 2)


def test_no_descriptor_is_left_and_the_device_is_known_from_others():
    before = os.listdir("/proc/self/fd")
    exchange(HANDLE_KILLPRIV_V2)
    assert os.listdir("/proc/self/fd") == before
    fd = os.open("/dev/fuse", os.O_RDWR)
    try:
        assert fuse_init.devices() == {fd}
    finally:
        os.close(fd)


# --- Entries


def test_an_entry_that_is_known_keeps_number_and_type_and_loses_its_node():
    attributes = types.SimpleNamespace(
        st_mode=0o100640, st_nlink=1, st_uid=7, st_gid=8, st_rdev=0, st_size=9, st_blksize=4096, st_blocks=8,
        st_atime_ns=1, st_mtime_ns=2, st_ctime_ns=3,
    )  # fmt: skip
    node = types.SimpleNamespace(id=4711, generation=5, entry_timeout=60.0, attr_timeout=1.0)
    told = translated(node, attributes)
    assert (told.st_ino, told.generation, told.st_size, told.st_mtime_ns) == (4711, 5, 9, 2)
    quiet = known(told)
    assert quiet is not None, (
        "pyfuse3 keeps an entry differently: find out how, or every listing is told whole"
    )
    assert (
        isinstance(quiet, pyfuse3.EntryAttributes) and quiet.st_ino == 0
    )  # the node; the number is beyond our sight
    assert (quiet.st_mode, quiet.st_size) == (0o100640, 9)


# --- Waiting


def test_the_lock_is_handed_over_in_order_and_a_waiter_that_is_cancelled_is_left_out():
    order = []

    async def main():
        lock = Lock()

        async def hold(name):
            async with lock:
                order.append(name)
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery, lock:
            nursery.start_soon(hold, "a")
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(hold, "b")
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(0) as scope:
                await hold("never")
            assert scope.cancelled_caught
        async with lock:
            order.append("free again")

    trio.run(main)
    assert order == ["a", "b", "free again"]


def test_requests_are_heard_at_once_later_and_while_others_want_their_turn():
    async def main():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            waits = Waits()
            async with (
                trio.open_nursery() as nursery
            ):  # nothing to read: it waits, and hears what comes later
                nursery.start_soon(waits.lowlevel.wait_readable, theirs.fileno())
                await trio.testing.wait_all_tasks_blocked()
                ours.send(b"x")
            turns = 0

            async def other():
                nonlocal turns
                while True:
                    await trio.lowlevel.checkpoint()
                    turns += 1

            async with trio.open_nursery() as nursery:
                nursery.start_soon(other)
                for _ in range(6 * IN_A_ROW):  # all of them are readable at once
                    await waits.lowlevel.wait_readable(theirs.fileno())
                assert turns >= 2
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_what_pyfuse3_takes_for_trio_has_all_of_it():
    waits = Waits()
    assert waits.ClosedResourceError is trio.ClosedResourceError
    assert waits.open_nursery is trio.open_nursery
    assert waits.lowlevel.current_task is trio.lowlevel.current_task


def test_the_end_is_heard_by_who_is_only_about_to_wait():
    async def main():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            waits = Waits()
            ours.send(b"x")
            for _ in range(IN_A_ROW - 1):  # the next one lets others have their turn
                await waits.lowlevel.wait_readable(theirs.fileno())
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hears_the_end, waits, theirs.fileno())
                await trio.lowlevel.checkpoint()
                waits.lowlevel.notify_closing(theirs.fileno())

    async def hears_the_end(waits, fd):
        with pytest.raises(trio.ClosedResourceError):
            await waits.lowlevel.wait_readable(fd)

    trio.run(main)
