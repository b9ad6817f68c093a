"""llm: the language model that a user named in lsfs.conf, asked at an OpenAI-compatible endpoint: `syscalls.ports.Writer`.

    [llm]
    endpoint = http://127.0.0.1:8080/v1        POST /v1/chat/completions, temperature 0
    model = qwen3-4b

A connection goes to that host and nowhere else: no redirection is followed, no proxy is taken from the environment. Certificates are
verified against those of the system (SSL_CERT_FILE and SSL_CERT_DIR, as OpenSSL has it). The key is read anew for each request, and kept in
no attribute of what lives longer; neither it nor a text that was sent or received is in a message or a log.

Threading: `complete` in the loop; each request has a thread. A request that is given up is cut off at its socket, and its thread ends.
"""

import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import stat
from typing import Any
from urllib.parse import urlsplit

import trio

from syscalls.errors import ModelFailed

MOST_ASKED = 32_000  # characters of a text that is sent; more is cut
MOST_WRITTEN = 4_000  # characters of an answer; more is cut
MOST_ANSWER = 1 << 20  # bytes of a reply, its JSON included; more is refused
LONGEST_KEY = 8 << 10
AT_ONCE = 4  # requests; more wait for their turn, within their own deadline
# Models that reason refuse both with HTTP 400; they are asked once more, without.
EXACT = {"temperature": 0, "max_tokens": 2048}
REASONS = {
    401: "refuses the key; look at [llm] key_file",
    403: "refuses the key; look at [llm] key_file",
    404: "knows no such address or model; look at [llm] endpoint and model",
    429: "takes no more requests now; ask again later",
}
_STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


class Llm:
    """One model at one endpoint. `key_file`: "" for none."""

    def __init__(self, endpoint: str, model: str, key_file: str, timeout: float) -> None:
        self.endpoint, self.name, self.key_file, self.timeout = endpoint, model, key_file, timeout
        self._threads = trio.CapacityLimiter(AT_ONCE)
        self._asked: set[trio.CancelScope] = set()
        self._stopped = False

    def stop(self) -> None:
        """Nothing is waited for any more: the mount ends, and every request with it."""
        self._stopped = True
        for scope in self._asked:
            scope.cancel()

    async def complete(self, system: str, text: str, deadline: float) -> str:
        """What the model answers. Raises ModelFailed. When cancelled, the connection is cut off."""
        seconds = min(deadline, self.timeout)
        messages = [("system", system), ("user", text)]
        body = {
            "model": self.name,
            "messages": [
                {"role": role, "content": said[:MOST_ASKED].encode("utf-8", "replace").decode()}
                for role, said in messages
            ],
        }
        request = Request(self.endpoint, self.key_file, body, seconds)
        with trio.CancelScope(deadline=trio.current_time() + seconds) as scope:
            self._asked.add(scope)
            try:
                return await trio.to_thread.run_sync(
                    request.answer, abandon_on_cancel=True, limiter=self._threads
                )
            finally:
                self._asked.discard(scope)
                request.give_up()
        raise ModelFailed("The mount is ending.") if self._stopped else request.late()


class Request:
    """One question and its answer. `give_up` may be called from another thread, at any time."""

    def __init__(self, endpoint: str, key_file: str, body: dict[str, Any], seconds: float) -> None:
        self._url = urlsplit(endpoint + "/chat/completions")
        self._where = f"The endpoint {self._url.netloc}"
        self._key_file, self._body, self._seconds = key_file, body, seconds
        self._socket: socket.socket | None = None
        self._over = False

    def give_up(self) -> None:
        self._over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it is closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def late(self) -> ModelFailed:
        return ModelFailed(f"{self._where} did not answer within {self._seconds:g} s.")

    def answer(self) -> str:
        """The text that the model wrote. Raises ModelFailed."""
        key = read_key(self._key_file) if self._key_file else None
        try:
            status, kind, data = self._post(self._body | EXACT, key)
            if status == 400:
                status, kind, data = self._post(self._body, key)
        except TimeoutError:
            raise self.late() from None
        except ssl.SSLCertVerificationError as error:
            raise ModelFailed(
                f"The certificate of {self._url.netloc} is not valid: {error.verify_message}."
            ) from None
        except ssl.SSLError:
            raise ModelFailed(f"{self._where} does not speak TLS; look at [llm] endpoint.") from None
        except ConnectionError as error:
            raise ModelFailed(
                f"{self._where} broke the connection off: {error.strerror or 'no answer came'}."
            ) from None
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "there is no such host"
            raise ModelFailed(f"{self._where} cannot be reached: {why}.") from None
        except http.client.HTTPException:
            raise ModelFailed(f"{self._where} does not speak HTTP, or broke off.") from None
        return self._read(status, kind, data)

    def _post(self, body: dict[str, Any], key: str | None) -> tuple[int, str, bytes]:
        """Status, content type and body of the reply; no more of it than is needed to see that it is too large."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "lsfs",
            "Connection": "close",
        }
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        with contextlib.closing(self._connect()) as connection:
            connection.request("POST", self._url.path, json.dumps(body).encode(), headers)
            with connection.getresponse() as reply:
                data = reply.read(MOST_ANSWER + 1) if reply.status == 200 else b""
                return reply.status, reply.headers.get_content_type(), data

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        connection = (
            http.client.HTTPSConnection(
                host, port, timeout=self._seconds, context=ssl.create_default_context()
            )
            if self._url.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=self._seconds)
        )
        connection.connect()
        self._socket = connection.sock  # http.client forgets it before the reply has been read
        if self._over:  # while the name was looked up
            connection.close()
            raise TimeoutError
        return connection

    def _read(self, status: int, kind: str, data: bytes) -> str:
        if status != 200:
            if 300 <= status < 400:
                raise ModelFailed(
                    f"{self._where} sends elsewhere, which is not followed; name the final address as [llm] endpoint."
                )
            raise ModelFailed(f"{self._where} {REASONS.get(status, 'wrote nothing')} (HTTP {status}).")
        if not kind.endswith("json"):
            raise ModelFailed(f"{self._where} does not answer with JSON; look at [llm] endpoint.")
        if len(data) > MOST_ANSWER:
            raise ModelFailed(f"{self._where} answers with more than {MOST_ANSWER >> 20} MiB.")
        try:
            content = json.loads(data)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            content = None
        if not isinstance(content, str):
            raise ModelFailed(
                f"{self._where} answers with something that is no completion; look at [llm] endpoint."
            )
        text = clean(content)
        if not text:
            raise ModelFailed(f"{self._where} answers with an empty text.")
        return text


def clean(text: str) -> str:
    """What may be shown of a model's answer: not what it thought before, and nothing that steers a terminal."""
    text = _STEERING.sub("", text).strip()
    if text.startswith("<think>"):
        text = text.partition("</think>")[2].strip()
    return text if len(text) <= MOST_WRITTEN else text[: MOST_WRITTEN - 1] + "…"


def read_key(file: str) -> str:
    """The key in a file: one line. Raises ModelFailed, which does not quote it."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a fifo would never answer
        try:
            data = os.read(descriptor, LONGEST_KEY + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise ModelFailed(
            f"[llm] key_file cannot be read: {getattr(error, 'strerror', None) or 'no such name'}."
        ) from None
    key = data.decode("latin-1").strip()
    if len(data) > LONGEST_KEY or re.fullmatch(r"[\x21-\x7e]+", key) is None:
        raise ModelFailed("[llm] key_file holds no key: it is a file with one line, without blanks.")
    return key
