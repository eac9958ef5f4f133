"""Signs for whom a request names, and passes it on to a gateway as it is otherwise.

usage: python3 proxy.py GATEWAY KEYS     prints `ready PORT`; ends when standard input does
GATEWAY is host:port; KEYS a JSON file {name: {keyid, algorithm, private_key: base64 of PKCS #8}}.
A tester that knows fixed headers only sends `Signature: NAME`; any other value goes on as it came, so that the gateway is what
refuses it. The signatures are made by http-message-signatures of PyPI, which we did not write.
"""

import base64
import datetime
import http.client
import json
import secrets
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.serialization import load_der_private_key
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

ALGORITHMS = {"ed25519": algorithms.ED25519, "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256}
GATEWAY = sys.argv[1]
with open(sys.argv[2], encoding="utf-8") as file:
    KEYS = json.load(file)


class Key(HTTPSignatureKeyResolver):
    def __init__(self, key):
        self.private_key = load_der_private_key(base64.b64decode(key["private_key"]), None)

    def resolve_private_key(self, key_id):
        return self.private_key

    def resolve_public_key(self, key_id):
        raise KeyError(key_id)


@dataclass
class Message:
    method: str
    url: str
    headers: dict


def sign(key, method, target, headers, body):
    """Adds the fields of a signature of now."""
    message = Message(method, f"http://{GATEWAY}{target}", headers)
    covered = ["@method", "@authority", "@path", "@query"]
    if body and "content-type" in headers:
        covered += ["content-type", "content-digest"]
    if "idempotency-key" in headers:
        covered += ["idempotency-key"]
    now = datetime.datetime.now(datetime.timezone.utc)
    HTTPMessageSigner(signature_algorithm=ALGORITHMS[key["algorithm"]], key_resolver=Key(key)).sign(
        message, key_id=key["keyid"], nonce=secrets.token_urlsafe(16), tag="tensfer", covered_component_ids=covered,
        created=now, expires=now + datetime.timedelta(seconds=60), **({"body": body} if body else {}),
    )


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        # Of fields that came twice the gateway gets both; what is signed came once.
        fields = [(name.lower(), value) for name, value in self.headers.items()]
        asker = self.headers.get("signature")
        if asker in KEYS:
            named = {name: value for name, value in fields if name != "signature"}
            before = dict(named)
            sign(KEYS[asker], self.command, self.path, named, body)
            added = {name.lower(): value for name, value in named.items() if before.get(name) != value}
            fields = [(name, value) for name, value in fields if name != "signature" and name not in added]
            fields += added.items()
        gateway = http.client.HTTPConnection(GATEWAY, timeout=30)
        gateway.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        gateway.putheader("host", GATEWAY)
        for name, value in fields:
            if name not in ("host", "connection"):
                gateway.putheader(name, value)
        gateway.endheaders(body or None)
        answer = gateway.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        gateway.close()

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.pass_on
        raise AttributeError(name)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"ready {server.server_port}", flush=True)
sys.stdin.read()
