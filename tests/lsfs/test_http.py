"""What `lsfs serve` makes of a request, as a page in a browser or a program next door would send it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsfs.http import Refused, disposition, hosts, of_file, of_refusal, policy, span, type_of, wanted

OWN = hosts(8021)
HOST = (b"host", b"127.0.0.1:8021")
TARGET = b"/l/" + b"A" * 75 + b"/plan.md"


def status(method=b"GET", target=TARGET, headers=(HOST,)):
    try:
        wanted(method, target, headers, OWN)
    except Refused as error:
        return error.status
    return 200


@pytest.mark.parametrize("host", [b"localhost:8021", b"LOCALHOST:8021", b"127.0.0.1:8021", b"[::1]:8021"])
def test_our_names_are_answered_to(host):
    assert status(headers=[(b"host", host)]) == 200


@pytest.mark.parametrize(
    "host",
    [b"evil.example:8021", b"localhost", b"localhost:80", b"127.0.0.1", b"127.0.0.2:8021", b"0.0.0.0:8021", b"localhost.:8021", b"",
     b"localhost:8021.evil.example", b"evil.example@localhost:8021", b"127.1:8021", b"2130706433:8021", b"localhost:08021"],
)  # fmt: skip
def test_no_other_name_is(host):
    assert status(headers=[(b"host", host)]) == 421


def test_a_request_has_one_host():
    assert status(headers=[]) == status(headers=[HOST, HOST]) == 421


def test_the_port_of_the_web_need_not_be_said():
    assert b"localhost" in hosts(80) and b"localhost" not in hosts(8080)


@pytest.mark.parametrize(
    "origin",
    [b"http://evil.example", b"null", b"https://127.0.0.1:8021", b"http://127.0.0.1:8022", b"", b"file://"],
)
def test_a_page_of_somebody_else_is_refused(origin):
    assert status(headers=[HOST, (b"origin", origin)]) == 403
    assert status(headers=[HOST, (b"origin", b"http://localhost:8021"), (b"origin", origin)]) == 403


def test_our_own_origin_is_none_to_refuse():
    assert status(headers=[HOST, (b"origin", b"http://localhost:8021")]) == 200


@pytest.mark.parametrize(
    ("site", "mode", "dest", "expected"),
    [(b"none", b"navigate", b"document", 200), (b"cross-site", b"navigate", b"document", 200),
     (b"cross-site", b"navigate", b"iframe", 403),
     (b"cross-site", b"no-cors", b"image", 403), (b"same-site", b"no-cors", b"script", 403), (b"cross-site", b"cors", b"empty", 403),
     (b"same-origin", b"no-cors", b"image", 200), (b"cross-site", b"navigate", b"embed", 403)],
)  # fmt: skip
def test_a_link_may_be_followed_from_everywhere_and_embedded_nowhere(site, mode, dest, expected):
    headers = [HOST, (b"sec-fetch-site", site), (b"sec-fetch-mode", mode), (b"sec-fetch-dest", dest)]
    assert status(headers=headers) == expected


@pytest.mark.parametrize(
    "method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"PROPFIND", b"get"]
)
def test_nothing_is_done_but_reading(method):
    assert status(method) == 405


@pytest.mark.parametrize(
    "target",
    [b"/", b"/l/", b"/l", b"/plan.md", b"/../etc/passwd", b"/l/../../etc/passwd", b"/l/%2e%2e/etc/passwd", b"//" + TARGET,
     TARGET + b"/", TARGET + b"?x", TARGET + b"/../../x", b"http://evil.example" + TARGET, b"*", b"/l/" + b"A" * 75,
     b"/l/" + b"A" * 9999 + b"/a", b"/l/a%00b/c"],
)  # fmt: skip
def test_there_is_nothing_but_links(target):
    assert status(target=target) == 404


def test_a_name_is_what_the_address_says_byte_for_byte():
    found = wanted(b"HEAD", b"/l/tok/caf%E9%2F%0a", [HOST], OWN)
    assert (found.token, found.name, found.head) == ("tok", b"caf\xe9/\n", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, None), (b"bytes=0-3", (0, 4)), (b"bytes=2-", (2, 10)), (b"bytes=-3", (7, 10)), (b"bytes=-99", (0, 10)),
     (b"bytes=5-99", (5, 10)), (b"bytes=0-1,4-5", None), (b"lines=0-1", None), (b"bytes=-", None), (b"bytes=3-2", None),
     (b"bytes=x", None), (b"bytes=9-9", (9, 10))],
)  # fmt: skip
def test_a_range_is_what_it_says(text, expected):
    assert span(text, 10) == expected


@pytest.mark.parametrize("text", [b"bytes=10-", b"bytes=99-100", b"bytes=-0"])
def test_a_range_behind_the_end_is_416_with_the_size(text):
    with pytest.raises(Refused) as caught:
        span(text, 10)
    assert (caught.value.status, caught.value.headers) == (416, [(b"Content-Range", b"bytes */10")])


@given(st.binary(max_size=40), st.integers(0, 1 << 40))
def test_no_range_reaches_outside_of_the_file(text, size):
    try:
        part = span(b"bytes=" + text, size)
    except Refused:
        return
    assert part is None or 0 <= part[0] < part[1] <= size


@given(st.binary(min_size=1, max_size=255))
def test_no_name_of_a_file_makes_another_header(name):
    for _, value in of_file(name, 5, None)[1]:
        assert not set(value) & {0, 10, 13} and value.isascii()
    assert disposition(name, True).count(b'"') == 2


@pytest.mark.parametrize(
    ("name", "type", "shown"),
    [(b"a.md", "text/markdown; charset=utf-8", True), (b"a.html", "text/html; charset=utf-8", True),
     (b"a.pdf", "application/pdf", True),
     (b"a.tar.gz", "application/gzip", False), (b"a", "application/octet-stream", False), (b"\xff.png", "image/png", True),
     (b"a.sh", "application/x-sh", False), (b"data:text,html", "application/octet-stream", False),
     (b"a.zip", "application/zip", False)],
)  # fmt: skip
def test_the_type_is_that_of_the_name(name, type, shown):
    assert type_of(name) == (type, shown)


@pytest.mark.parametrize("name", [b"a.html", b"a.svg", b"a.xml", b"a.xhtml", b"a.md", b"a", b"a.js"])
def test_nothing_that_is_served_runs_as_a_page_of_this_address(name):
    said = policy(type_of(name)[0])
    assert (
        said.startswith(b"sandbox; default-src 'none'")
        and b"allow-" not in said
        and b"script-src" not in said
    )


@pytest.mark.parametrize(
    "answer", [of_file(b"a.html", 5, None)[1], of_file(b"a.pdf", 5, (1, 3))[1], of_refusal(Refused(404))[1]]
)
def test_every_answer_is_kept_to_itself(answer):
    said = {name.lower(): value for name, value in answer}
    assert said[b"x-content-type-options"] == b"nosniff" and said[b"cache-control"] == b"no-store"
    assert (
        said[b"referrer-policy"] == b"no-referrer"
        and b"frame-ancestors 'none'" in said[b"content-security-policy"]
    )
    assert said[b"cross-origin-resource-policy"] == b"same-origin"
    assert not any(name.startswith(b"access-control-") for name in said)
