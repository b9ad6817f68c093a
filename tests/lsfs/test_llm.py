"""llm: one request to one host, and a sentence for all that can go wrong with it."""

import os
import shutil
import socket
import ssl
import subprocess

import pytest
import trio
from llm_server import completion, serving

from lsfs.models import llm
from lsfs.models.llm import Llm
from syscalls.errors import ModelFailed

KEY = "sk-0123456789abcdef"


@pytest.fixture
def server():
    with serving() as made:
        yield made


def ask(endpoint, text="What changed?", system="You are brief.", key_file="", deadline=20.0):
    return trio.run(Llm(endpoint, "tiny", str(key_file), 30.0).complete, system, text, deadline)


def failure(*arguments, **options):
    with pytest.raises(ModelFailed) as caught:
        ask(*arguments, **options)
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said and KEY not in said
    assert (
        caught.value.__cause__ is None
        and caught.value.__suppress_context__
        or caught.value.__context__ is None
    )
    return said


@pytest.fixture
def key_file(tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    return tmp_path / "key"


def test_it_speaks_the_protocol(server, key_file):
    server.say("The limit was raised.")
    assert ask(server.endpoint, key_file=key_file) == "The limit was raised."
    ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions" and headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Content-Type"] == "application/json" and headers["Host"] == server.where
    assert body["model"] == "tiny" and body["temperature"] == 0 and body["max_tokens"] == 2048
    assert body["messages"] == [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "What changed?"},
    ]


def test_without_a_key_none_is_sent(server):
    ask(server.endpoint)
    assert "Authorization" not in server.requests[0][1]


def test_a_key_that_was_replaced_is_used_at_once(server, key_file):
    ask(server.endpoint, key_file=key_file)
    key_file.write_text("another")
    ask(server.endpoint, key_file=key_file)
    assert [headers["Authorization"] for _, headers, _ in server.requests] == [
        f"Bearer {KEY}",
        "Bearer another",
    ]


@pytest.mark.parametrize("content", ["", "two words", "a\nb", "k\u00e9y", "\x00", "k" * 9000])
def test_what_is_no_key_is_refused_and_nothing_is_sent(server, key_file, content):
    key_file.write_text(content)
    assert failure(server.endpoint, key_file=key_file).startswith("[llm] key_file holds no key")
    assert server.requests == []


def test_a_key_file_that_cannot_be_read_is_refused(server, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert "No such file" in failure(server.endpoint, key_file=tmp_path / "missing")
    assert "holds no key" in failure(server.endpoint, key_file=tmp_path / "fifo")
    assert "holds no key" in failure(server.endpoint, key_file=tmp_path)
    assert "no such name" in failure(server.endpoint, key_file="a\0b")
    assert server.requests == []


def test_a_long_text_is_cut_before_it_is_sent(server):
    ask(server.endpoint, text="x" * 100_000, system="y" * 100_000)
    assert [len(message["content"]) for message in server.requests[0][2]["messages"]] == [llm.MOST_ASKED] * 2


def test_text_that_is_no_unicode_is_sent_as_far_as_it_is(server):
    ask(server.endpoint, text="caf\udce9 \U0001f600")
    assert server.requests[0][2]["messages"][1]["content"] == "caf? \U0001f600"


def test_models_that_take_no_temperature_are_asked_without(server):
    server.refused = ("temperature", "max_tokens")
    assert ask(server.endpoint) == "A sentence."
    assert [sorted(body) for _, _, body in server.requests] == [
        ["max_tokens", "messages", "model", "temperature"],
        ["messages", "model"],
    ]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("  A\n\nB\t.  ", "A\n\nB\t."),
        ("<think>It says\nso.</think>\n\nSo.", "So."),
        ("\x1b]0;title\x07bell\u202e\u2066\ufeff\U000e0041", "]0;titlebell"),
        ("lone \ud800 half", "lone  half"),
        ("a < b <think>", "a < b <think>"),
    ],
)
def test_what_is_shown_is_clean(answer, shown):
    assert llm.clean(answer) == shown


def test_what_a_model_only_thought_is_no_answer(server):
    server.say("<think>and then it was cut off")
    assert "empty text" in failure(server.endpoint)


def test_a_long_answer_is_cut(server):
    server.say("word " * 10_000)
    answer = ask(server.endpoint)
    assert len(answer) == llm.MOST_WRITTEN and answer.endswith("…")


def test_a_slow_endpoint_is_given_up_and_cut_off(server):
    server.stalled = True
    assert (
        failure(server.endpoint, deadline=0.1) == f"The endpoint {server.where} did not answer within 0.1 s."
    )
    assert server.cut_off.wait(20)


def test_requests_that_wait_for_their_turn_have_their_time_too(server):
    server.stalled = True
    model, failed = Llm(server.endpoint, "tiny", "", 0.2), []

    async def one():
        with pytest.raises(ModelFailed, match="did not answer"):
            await model.complete("", "", 20.0)
        failed.append(True)

    async def main():
        async with trio.open_nursery() as nursery:
            for _ in range(3 * llm.AT_ONCE):
                nursery.start_soon(one)

    trio.run(main)
    assert len(failed) == 3 * llm.AT_ONCE and len(server.requests) <= 2 * llm.AT_ONCE


def test_when_the_mount_ends_nothing_is_waited_for(server):
    server.stalled = True
    model = Llm(server.endpoint, "tiny", "", 30.0)

    async def end():
        assert await trio.to_thread.run_sync(server.came.wait, 20)
        model.stop()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            with pytest.raises(ModelFailed, match="The mount is ending"):
                await model.complete("", "", 20.0)

    trio.run(main)
    assert server.cut_off.wait(20)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "wrote nothing (HTTP 500)"),
        (400, "wrote nothing (HTTP 400)"),
        (401, "look at [llm] key_file (HTTP 401)"),
        (403, "look at [llm] key_file (HTTP 403)"),
        (404, "look at [llm] endpoint and model (HTTP 404)"),
        (429, "ask again later (HTTP 429)"),
        (204, "wrote nothing (HTTP 204)"),
    ],
)
def test_a_refusal_is_a_sentence_that_quotes_nothing_of_the_reply(server, key_file, status, said):
    server.answer(status, f"the key {KEY} and the text".encode())
    found = failure(server.endpoint, key_file=key_file)
    assert said in found and "the text" not in found


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_is_not_followed(server, status):
    with serving() as elsewhere:
        server.answer(status, Location=f"{elsewhere.endpoint}/chat/completions")
        assert "which is not followed" in failure(server.endpoint)
        assert elsewhere.requests == [] and len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
    ]
    + [
        b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": {"content": [1]}}]}',
        b'{"choices": ' + b"9" * 9999 + b"}",
    ],
    ids=range(11),
)
def test_what_is_no_completion_is_refused(server, body):
    server.answer(200, body)
    assert "no completion" in failure(server.endpoint)


@pytest.mark.parametrize("kind", ["text/html", "text/plain; charset=json", "application/octet-stream", ""])
def test_another_type_than_json_is_refused(server, kind):
    server.answer(200, completion("A sentence."), kind)
    assert "does not answer with JSON" in failure(server.endpoint)


def test_a_huge_answer_is_not_read_to_its_end(server):
    server.answer(200, completion("x" * (llm.MOST_ANSWER * 8)))
    assert failure(server.endpoint) == f"The endpoint {server.where} answers with more than 1 MiB."


def test_an_answer_that_breaks_off_is_refused(server):
    server.answer(200, completion("A sentence.")[:-5], **{"Content-Length": "1000"})
    assert failure(server.endpoint)


@pytest.mark.parametrize(
    "reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200, b"\0" * 99_999]
)
def test_what_speaks_no_http_is_refused(reply):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        async def main():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, other_side)
                model = Llm(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", "tiny", "", 20.0)
                with pytest.raises(ModelFailed, match=r"broke|does not speak HTTP"):
                    await model.complete("", "", 20.0)

        def other_side():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

        trio.run(main)


def test_nobody_there_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert f"127.0.0.1:{port}" in failure(f"http://127.0.0.1:{port}/v1")
    assert failure("http://no-such-host.invalid/v1")
    assert "there is no such host" in failure(f"http://{'a' * 70}.invalid/v1")


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(server.endpoint) == "A sentence."


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout key.pem -out cert.pem"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def test_certificates_are_verified(certificate, key_file, monkeypatch):
    with serving(certificate) as server:
        assert failure(server.endpoint, key_file=key_file).startswith(
            f"The certificate of {server.where} is not valid: "
        )
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert ask(server.endpoint, key_file=key_file) == "A sentence."
        by_name = server.endpoint.replace("127.0.0.1", "localhost")
        assert "is not valid" in failure(by_name, key_file=key_file)
    assert ssl.create_default_context().check_hostname


def test_tls_to_an_endpoint_that_has_none_is_a_sentence(server):
    assert "does not speak TLS" in failure(server.endpoint.replace("http:", "https:"))


def test_nothing_is_logged(server, key_file, caplog):
    caplog.set_level(0)
    ask(server.endpoint, text="the text of a file", key_file=key_file)
    server.answer(401, KEY.encode())
    failure(server.endpoint, text="the text of a file", key_file=key_file)
    assert KEY not in caplog.text and "text of a file" not in caplog.text
    assert KEY not in repr(vars(Llm(server.endpoint, "tiny", str(key_file), 1.0)))
