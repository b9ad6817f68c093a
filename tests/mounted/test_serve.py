"""`lsfs serve`, as a browser, a page of somebody else in it, and a program next door would use it: raw sockets."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from mounted_helpers import LSFS, PATIENCE, WORDS_ONLY, as_nobody, reachable, root

NO_INDEX = WORDS_ONLY + "[index]\nenabled = no\n"
LARGE = 40 << 20
MOST = 64  # connections (lsfs.serve.MOST)


class Served:
    """A mount that is served: `url` is what `lsfs link` says, `get` one request on a socket of its own."""

    def __init__(self, mounted, *words):
        self.mounted = mounted
        self.process = subprocess.Popen(
            [*LSFS, "serve", "--mount", mounted.path, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        self.said = self.process.stdout.readline()
        assert self.said, self.process.communicate()[1]
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", self.said)[1])
        self.host = f"127.0.0.1:{self.port}"

    def link(self, path, *words):
        """The path of the address of a new link."""
        command = [*LSFS, "link", path, *words, "--json", "--mount", self.mounted.path]
        made = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert made["url"] == f"http://{self.host}{made['address']}"
        return made["address"]

    def connect(self, address="127.0.0.1"):
        return socket.create_connection((address, self.port), timeout=PATIENCE)

    def get(self, target, *headers, method="GET", host=None, address="127.0.0.1", body=b""):
        """Status, headers and body of the answer."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host or self.host}", *headers, "", ""]
        return self.raw("\r\n".join(lines).encode("latin-1") + body, address)

    def raw(self, data, address="127.0.0.1"):
        with self.connect(address) as connection:
            connection.sendall(data)
            return parsed(everything(connection))

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def everything(connection):
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 20):
            answer += part
    return answer


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    return int((lines[0].split() or ["", "0"])[1]), headers, body


@pytest.fixture
def serve(mount):
    """A factory of served mounts; each server has ended, without a word on stderr that was not expected, or it fails."""
    made = []

    def factory(mounted=None, *words):
        if mounted is None:
            mounted = mount(conf=NO_INDEX)
            (mounted.files / "plan.md").write_text("the plan\n")
        made.append(Served(mounted, *words))
        return made[-1]

    yield factory
    for served in made:
        if served.process.poll() is None:
            assert served.end() == 0
        said = served.process.communicate()[1]
        assert said == "" or said.startswith("lsfs: ") and "\n" not in said[:-1], said


def test_a_file_is_read_by_who_has_its_address(serve):
    served = serve()
    address = served.link("plan.md")
    status, headers, body = served.get(address)
    assert (status, body, headers["content-length"]) == (200, b"the plan\n", "9")
    assert (
        headers["content-type"] == "text/markdown; charset=utf-8" and headers["cache-control"] == "no-store"
    )
    assert headers["content-security-policy"].startswith("sandbox") and headers["x-content-type-options"] == "nosniff"  # fmt: skip
    assert not any(name.startswith("access-control") for name in headers)
    assert served.get(address, method="HEAD")[0::2] == (200, b"")
    assert served.get(address, host=f"localhost:{served.port}")[0] == 200
    if "::1" in served.said:
        assert served.get(address, host=f"[::1]:{served.port}", address="::1")[2] == b"the plan\n"


def test_what_is_served_is_what_is_there_now(serve):
    served = serve()
    address = served.link("plan.md")
    (served.mounted.files / "plan.md").write_text("another plan\n")
    assert served.get(address)[2] == b"another plan\n"
    (served.mounted.files / "plan.md").rename(served.mounted.files / "x")
    assert served.get(address)[0] == 404
    (served.mounted.files / "x").rename(served.mounted.files / "plan.md")
    assert served.get(address)[2] == b"another plan\n"


def test_only_loopback_listens(serve):
    served = serve()
    inodes = set()
    for fd in os.listdir(f"/proc/{served.process.pid}/fd"):
        with contextlib.suppress(OSError):
            inodes.add(
                os.readlink(f"/proc/{served.process.pid}/fd/{fd}").removeprefix("socket:[").rstrip("]")
            )
    bound = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in inodes:
                bound.append((table, words[1]))
    port = f"{served.port:04X}"
    assert ("tcp", f"0100007F:{port}") in bound
    assert set(bound) <= {("tcp", f"0100007F:{port}"), ("tcp6", f"00000000000000000000000001000000:{port}")}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost",
        "127.0.0.1:1",
        "0.0.0.0:{port}",
        "localhost.evil.example:{port}",
    ],
)
def test_a_name_of_somebody_else_does_not_lead_here(serve, host):
    served = serve()
    address = served.link("plan.md")
    status, _, body = served.get(address, host=host.format(port=served.port))
    assert status == 421 and b"plan" not in body
    assert served.raw(f"GET {address} HTTP/1.0\r\n\r\n".encode())[0] == 421
    assert (
        served.raw(f"GET http://evil.example{address} HTTP/1.1\r\nHost: {served.host}\r\n\r\n".encode())[0]
        == 404
    )


def test_a_page_of_somebody_else_gets_nothing(serve):
    served = serve()
    address = served.link("plan.md")
    for origin in (
        "http://evil.example",
        "null",
        f"http://127.0.0.1:{served.port + 1}",
        f"https://{served.host}",
    ):
        status, headers, body = served.get(address, f"Origin: {origin}")
        assert (
            status == 403
            and b"plan" not in body
            and not any(name.startswith("access-control") for name in headers)
        )
    fetched = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script")
    assert served.get(address, *fetched)[0] == 403
    assert served.get(address, f"Origin: http://{served.host}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
def test_nothing_can_be_done_but_reading(serve, method):
    served = serve()
    address = served.link("plan.md")
    status, headers, _ = served.get(address, "Content-Length: 9", method=method, body=b"the plot\n")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert (served.mounted.files / "plan.md").read_text() == "the plan\n"


def test_there_is_no_way_but_a_token(serve):
    served = serve()
    address = served.link("plan.md")
    token = address.split("/")[2]
    (served.mounted.files / "d").mkdir()
    turned = ("A" if token[0] != "A" else "B") + token[1:]
    for target in (
        "/",
        "/l/", f"/l/{token}", f"/l/{token}/", f"/l/{token}/other.md", f"/l/{token}/../../files/plan.md", f"/l/{token}/%2e%2e%2fplan.md",
        "/files/plan.md", "/plan.md", "/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd", f"{address}/..", f"{address}?a", f"{address}%00",
        f"/l/{turned}/plan.md", f"/l/{token[:-1]}/plan.md", f"/l/{token}A/plan.md", "/l/--check/plan.md", served.link("d"),
    ):  # fmt: skip
        status, _, body = served.get(target)
        assert status == 404 and body == b"There is nothing here.\n", target


def test_a_link_that_was_revoked_or_has_ended_is_gone_from_that_moment_on(serve):
    served = serve()
    links = served.mounted.path / "links"
    revoked, ended, shortened = (served.link("plan.md", "--name", name) for name in "abc")
    os.unlink(links / "a")
    os.utime(links / "b", (0, 0), follow_symlinks=False)
    end = time.time() + 0.5
    os.utime(links / "c", (end, end), follow_symlinks=False)
    assert served.get(revoked)[0] == served.get(ended)[0] == 410
    while True:
        began = time.time()
        status = served.get(shortened)[0]
        if status != 200:
            break
        assert began < end + 0.001, "it was served after its time"
    assert status == 410 and time.time() >= end - 0.001
    again = served.link("plan.md", "--name", "a")
    assert served.get(again)[0] == 200 and served.get(revoked)[0] == 410


def test_a_link_keeps_its_address_over_a_remount_and_another_server(serve):
    served = serve()
    address = served.link("plan.md")
    served.mounted.umount()
    assert served.process.wait(PATIENCE) == 0
    served.mounted.mount()
    assert serve(served.mounted).get(address)[2] == b"the plan\n"


def test_a_part_is_a_part(serve):
    served = serve()
    address = served.link("plan.md")
    status, headers, body = served.get(address, "Range: bytes=4-7")
    assert (status, headers["content-range"], body) == (206, "bytes 4-7/9", b"plan")
    assert served.get(address, "Range: bytes=-5")[2] == b"plan\n"
    status, headers, _ = served.get(address, "Range: bytes=9-")
    assert (status, headers["content-range"]) == (416, "bytes */9")
    assert served.get(address, "Range: bytes=0-1,3-4")[0::2] == (200, b"the plan\n")
    assert served.get(address, "Range: bytes=4-7", "If-Range: x")[0] == 200


def test_an_empty_and_a_large_file_arrive_whole(serve):
    served = serve()
    (served.mounted.files / "empty").write_bytes(b"")
    data = os.urandom(3 << 20) * 3
    (served.mounted.files / "large.bin").write_bytes(data)
    assert served.get(served.link("empty"))[0::2] == (200, b"")
    address = served.link("large.bin")
    assert hashlib.sha256(served.get(address)[2]).digest() == hashlib.sha256(data).digest()
    assert served.get(address, "Range: bytes=1000000-3000000")[2] == data[1000000:3000001]


@pytest.mark.parametrize(
    "name", [b'caf\xe9 "x"\r\nSet-Cookie: a=b.html', "é😀‮gpj.exe".encode(), b"a%2F..%2Fb", b"?#;.svg"]
)
def test_no_name_of_a_file_is_more_than_a_name(serve, name):
    served = serve()
    with open(os.path.join(os.fsencode(served.mounted.files), name), "wb") as stream:
        stream.write(b"<script>alert(1)</script>")
    status, headers, body = served.get(served.link(name))
    assert status == 200 and body.startswith(b"<script>") and "set-cookie" not in headers
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    disposition = headers["content-disposition"]
    assert disposition.count('"') == 2 and "\u202e" not in disposition and "%E2%80%AE" not in disposition


def test_no_symlink_leads_out_of_the_folder_or_anywhere(serve, tmp_path):
    """Made behind the mount, after the link: at the path itself, and on the way to it."""
    served = serve()
    (tmp_path / "secret").write_text("secret\n")
    folder = served.mounted.folder
    (folder / "d").mkdir()
    (folder / "d/secret").write_text("mine\n")
    addresses = [served.link("plan.md"), served.link("d/secret")]
    assert [served.get(address)[0] for address in addresses] == [200, 200]
    (folder / "plan.md").unlink()
    (folder / "plan.md").symlink_to(tmp_path / "secret")
    (folder / "d").rename(folder / "e")
    (folder / "d").symlink_to(tmp_path)
    answers = served.mounted.until(
        lambda: [served.get(address) for address in addresses], lambda seen: {one[0] for one in seen} == {404}
    )
    assert not any(b"secret" in body for _, _, body in answers)
    (folder / "plan.md").unlink()
    os.mkfifo(folder / "plan.md")  # nobody waits for somebody to write to it
    assert served.mounted.until(lambda: served.get(addresses[0])[0], lambda status: status == 404)


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40 + b"\r\n\r\n",
     b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
     b"GET /" + b"a" * 99_999 + b" HTTP/1.1\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 9_999 + b"\r\n",
     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_400_or_nothing_and_the_next_one_is_served(serve, data):
    served = serve()
    address = served.link("plan.md")
    with served.connect() as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        assert parsed(everything(connection))[0] in (400, 405, 421, 0)
    assert served.get(address)[0] == 200


def test_a_connection_is_for_one_request(serve):
    served = serve()
    address = served.link("plan.md")
    request = f"GET {address} HTTP/1.1\r\nHost: {served.host}\r\n\r\n".encode()
    assert served.raw(request * 2)[2] == b"the plan\n"


def test_who_says_nothing_or_one_byte_at_a_time_is_let_go_and_keeps_nobody_waiting(serve):
    served = serve()
    address = served.link("plan.md")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(served.connect()) for _ in range(20)]
        for connection in slow[:10]:
            connection.sendall(b"GET " + address.encode()[:9])
        assert (
            served.get(address)[0] == 200 and (served.mounted.files / "plan.md").read_text() == "the plan\n"
        )
        assert {parsed(everything(connection))[0] for connection in slow} == {408}
    assert served.get(address)[0] == 200


def test_those_beyond_the_limit_are_closed_and_the_others_served_when_there_is_room(serve):
    served = serve()
    address = served.link("plan.md")
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(served.connect()) for _ in range(MOST)]
        idle[-1].sendall(f"GET {address} HTTP/1.1\r\nHost: {served.host}\r\n\r\n".encode())
        assert parsed(everything(idle[-1]))[0] == 200
        idle.append(stack.enter_context(served.connect()))
        over = stack.enter_context(served.connect())
        assert everything(over) == b""
        assert (served.mounted.files / "plan.md").read_text() == "the plan\n"
    assert served.mounted.until(lambda: served.get(address)[0], lambda status: status == 200)


def test_many_at_once_are_served_right_while_the_mount_is_used(serve):
    served = serve()
    data = os.urandom(700_000)
    (served.mounted.files / "a.bin").write_bytes(data)
    addresses = [served.link("a.bin"), served.link("plan.md")]
    wrong = []

    def client(number):
        for turn in range(8):
            status, _, body = served.get(addresses[(number + turn) % 2])
            if (status, body) not in ((200, data), (200, b"the plan\n")):
                wrong.append((status, len(body)))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for number in range(50):
        (served.mounted.files / "other").write_text(str(number))
    for thread in threads:
        thread.join()
    assert wrong == [] and served.mounted.status()["errors"] == []


def stalled(served, target):
    """A client that has read the head of an answer, and then no more."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", served.port))
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {served.host}\r\n\r\n".encode())
    assert connection.recv(16).startswith(b"HTTP/1.1 200")
    return connection


def large(served):
    with open(served.mounted.folder / "large", "wb") as stream:
        stream.truncate(LARGE)
    return served.link("large")


def test_a_link_that_is_revoked_while_it_is_read_is_read_no_further(serve):
    served = serve()
    with stalled(served, large(served)) as connection:
        os.unlink(served.mounted.path / "links/large")
        assert len(everything(connection)) < LARGE


def test_a_file_that_is_replaced_while_it_is_read_is_never_two_in_one(serve):
    served = serve()
    with stalled(served, large(served)) as connection:
        other = served.mounted.files / "other"
        other.write_bytes(b"x" * LARGE)
        os.rename(other, served.mounted.files / "large")
        answer = everything(connection)
    assert len(answer) < LARGE and answer.endswith(b"\0")


def test_a_client_that_reads_no_further_keeps_neither_the_mount_nor_the_server(serve):
    served = serve()
    with stalled(served, large(served)):
        served.mounted.umount()
        assert served.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_though_somebody_is_connected(serve, number):
    served = serve()
    with served.connect(), stalled(served, large(served)):
        assert served.end(number) == 0


def test_it_ends_when_the_daemon_is_killed(serve):
    served = serve()
    served.mounted.kill_all()
    assert served.process.wait(PATIENCE) == 0


def test_one_server_is_there_for_a_mount_and_one_that_was_killed_is_none(serve):
    served = serve()
    second = subprocess.run([*LSFS, "serve", "--mount", served.mounted.path], capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
    assert second.returncode == 26 and "served already" in second.stderr
    served.end(signal.SIGKILL)
    listed = subprocess.run(
        [*LSFS, "link", "plan.md", "--json", "--mount", served.mounted.path], capture_output=True, text=True
    )
    assert json.loads(listed.stdout)["url"] is None, (
        "nobody shows an address whose port somebody else may have"
    )
    again = serve(served.mounted, "--port", str(served.port))
    assert again.port == served.port


def test_a_port_that_is_taken_on_either_address_is_refused(serve, mount):
    """Who has the other one would be sent the tokens of those who write `localhost`."""
    served = serve()
    other = mount(conf=NO_INDEX)
    taken = [socket.create_server(("127.0.0.1", 0))]
    if "::1" in served.said:
        taken.append(socket.create_server(("::1", 0), family=socket.AF_INET6))
    for one in taken:
        with one:
            port = str(one.getsockname()[1])
            done = subprocess.run(
                [*LSFS, "serve", "--port", port, "--mount", other.path], capture_output=True, text=True, timeout=PATIENCE
            )  # fmt: skip
            assert done.returncode == 26 and port in done.stderr


@root
def test_only_the_owner_of_the_mount_serves_it_and_what_he_may_not_read_is_403(mount):
    from lsfs.http import Refused
    from lsfs.refusals import NoPermission
    from lsfs.serve import owned
    from lsfs.shared import Shared

    mounted = mount(None, "--allow-other", conf=NO_INDEX)
    reachable(mounted.path)
    os.chmod(mounted.folder, 0o755)
    (mounted.files / "secret").write_text("x")
    os.chmod(mounted.files / "secret", 0o600)

    def refused():
        try:
            owned(str(mounted.path))
        except NoPermission:
            try:
                Shared(str(mounted.path))._open(b"secret")
            except Refused as error:
                return error.status

    assert owned(str(mounted.path)) and as_nobody(refused) == "403"


def test_nothing_is_imported_that_is_not_needed(tmp_path):
    script = "import sys, lsfs.cli.serve; print(sorted({'trio', 'h11', 'sqlite3', 'lsfs.serve'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
