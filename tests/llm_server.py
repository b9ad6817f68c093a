"""A language model's endpoint for tests: a real HTTP server in a thread of this process, which does what a test tells it.

with serving() as server:            # or serving(tls=(certificate, key))
    server.say("The limit was raised.")
    server.endpoint                  # http://127.0.0.1:PORT/v1
    server.requests                  # what came: [(path, headers, body)]
"""

import contextlib
import http.server
import json
import ssl
import threading


def completion(text):
    return json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}).encode()


class Server(http.server.ThreadingHTTPServer):
    """`reply` is (status, headers, body); with `stalled` set, nothing is answered until the other side hangs up."""

    daemon_threads = True
    scheme = "http"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.cut_off = [], threading.Event()
        self.stalled, self.came = False, threading.Event()
        self.refused = ()  # members of the body that are answered with 400
        self.say("A sentence.")

    @property
    def endpoint(self):
        return f"{self.scheme}://{self.server_address[0]}:{self.server_address[1]}/v1"

    @property
    def where(self):
        return f"{self.server_address[0]}:{self.server_address[1]}"

    def say(self, text):
        self.answer(200, completion(text))

    def answer(self, status, body=b"", kind="application/json", **headers):
        self.reply = status, {"Content-Type": kind, "Content-Length": str(len(body)), **headers}, body

    def handle_error(self, request, client_address):
        """Whoever gave up is no error here."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append((self.path, self.headers, body))
        server.came.set()
        if server.stalled:
            if not self.rfile.read(
                1
            ):  # blocks until the other side says or sends something more, or hangs up
                server.cut_off.set()
            return
        status, headers, data = (400, {}, b"") if set(server.refused) & set(body) else server.reply
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving(tls=None):
    server = Server()
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
