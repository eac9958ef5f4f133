#!/usr/bin/env python3
"""Cases for signed requests: each with the verdict that docs/spec/http-signatures.md gives it. Shares no code with the
implementation; written from RFC 9421, RFC 9530 and that page.

usage: http_signatures.py > vectors/http-signatures/profile.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Everything is fixed, so every run gives
the same file. Text is of bytes 0 to 255, one character each.
"""
import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

CREATED = 1_800_000_000
NOW = CREATED * 1000 + 250
HOST = "api.example.com"
COVERED = ["@method", "@authority", "@path", "@query"]
WITH_BODY = COVERED + ["content-type", "content-digest"]
JSON = ("Content-Type", "application/json")
BODY = b'{"scope": ["balances"]}'


def b64(data):
    return base64.b64encode(data).decode()


class Ed25519:
    name = "ed25519"

    def __init__(self, label):
        self.key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label).digest())
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public = self.key.public_key().public_bytes(*raw)

    def sign(self, message):
        return self.key.sign(message)


class P256:
    name = "ecdsa-p256-sha256"

    def __init__(self, label):
        self.key = ec.derive_private_key(int.from_bytes(hashlib.sha256(label).digest(), "big"), ec.SECP256R1())
        point = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        self.public = self.key.public_key().public_bytes(*point)

    def der(self, message):
        return self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def sign(self, message):
        r, s = utils.decode_dss_signature(self.der(message))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


KEYS = {"key-1": Ed25519(b"one"), "key-2": P256(b"two"), "key-3": Ed25519(b"three")}


def digest(body, *names):
    functions = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512, "md5": hashlib.md5}
    return ", ".join(f"{name}=:{b64(functions[name](body).digest())}:" for name in names or ["sha-256"])


class Request:
    """A request, and what its signer says. `state` are the parameters of the signature in order, as text; `signs` may name other
    values for components than the request's own."""

    def __init__(self, method="GET", target="/v1/keys", scheme="https", authority=HOST, fields=(), body=b"", covered=None,
                 key="key-1", label="tensfer", **state):
        self.method, self.target, self.scheme, self.authority, self.body = method, target, scheme, authority, body
        self.fields = [list(field) for field in fields]
        if body and not any(name.lower() == "content-digest" for name, _ in self.fields):
            self.fields.append(["Content-Digest", digest(body)])
        self.covered = covered or (WITH_BODY if body else COVERED)
        self.key, self.label = key, label
        self.state = {
            "created": str(CREATED), "expires": str(CREATED + 60), "nonce": '"wmzZ8rC7Sj2vN0bTqLxkYg"', "keyid": f'"{key}"',
            "tag": '"tensfer"',
        }
        for name, value in state.items():
            self.state.pop(name, None) if value is None else self.state.__setitem__(name, value)
        self.signs = {}

    def value(self, name):
        path, mark, query = self.target.partition("?")
        authority = self.authority.lower()
        port = {"https": ":443", "http": ":80"}[self.scheme]
        authority = authority.removesuffix(port)
        own = {
            "@method": self.method, "@authority": authority, "@path": path, "@query": "?" + query, "@scheme": self.scheme,
            "@request-target": self.target, "@target-uri": f"{self.scheme}://{authority}{self.target}",
        }
        if name in self.signs:
            return self.signs[name]
        if name in own:
            return own[name]
        lines = [value.strip(" \t") for field, value in self.fields if field.lower() == name.partition('"')[0]]
        return ", ".join(lines)

    def input(self):
        listed = " ".join(name if name.endswith(">") else f'"{name}"' for name in self.covered).replace(">", "")
        return f"({listed})" + "".join(f";{name}={value}" for name, value in self.state.items())

    def base(self):
        lines = [f'"{name}": {self.value(name)}' for name in self.covered]
        return "\n".join(lines + [f'"@signature-params": {self.input()}']).encode("latin-1")

    def signed(self, signature=None, key=None):
        signature = signature or KEYS[key or self.key].sign(self.base())
        self.fields += [["Signature-Input", f"{self.label}={self.input()}"], ["Signature", f"{self.label}=:{b64(signature)}:"]]
        return self

    def set(self, name, value):
        for field in self.fields:
            if field[0].lower() == name:
                field[1] = value(field[1]) if callable(value) else value
        return self

    def but(self, **changes):
        for name, value in changes.items():
            setattr(self, name, value)
        return self

    def without(self, name):
        self.fields = [field for field in self.fields if field[0].lower() != name]
        return self

    def json(self):
        parts = {"scheme": self.scheme, "method": self.method, "authority": self.authority, "target": self.target}
        return {**parts, "fields": self.fields, "body": self.body.hex()}


CASES = []


def case(name, expect, request, now=NOW, **more):
    CASES.append({"name": name, "expect": expect, "now": now, "request": request.json(), **more})


def post(**more):
    return Request(**{"method": "POST", "fields": [JSON], "body": BODY, **more})


def good(name, request, **more):
    case(name, "verified", request, **more)


def own(name, request, also=()):
    """What our own signer makes of the same request."""
    unsigned = [list(field) for field in request.fields if field[0] != "Content-Digest"]
    signed = Request.signed(request)
    stated = {"created": CREATED * 1000, "lifetime": 60, "nonce": signed.state["nonce"].strip('"'), "key": signed.key}
    case(name, "verified", signed, sign={**stated, "also": list(also), "fields": unsigned})


own("a request without a body", Request())
own("a request with a query", Request(target="/v1/keys?limit=10&after=%7Ea"))
own("a request with a body", post())
own("a request to a port, by http", Request(scheme="http", authority="localhost:8080", target="/"))
own("a request to an address", Request(authority="[::1]:8443"))
own("another field is covered", Request(fields=[("Idempotency-Key", "7")], covered=COVERED + ["idempotency-key"]),
    ["idempotency-key"])
own("by P-256", post(key="key-2"))
good("sha-512", post(fields=[JSON, ("content-digest", digest(BODY, "sha-512"))]).signed())
good("two digests", post(fields=[JSON, ("content-digest", digest(BODY, "sha-256", "sha-512"))]).signed())
good("a digest that nobody knows beside one", post(fields=[JSON, ("content-digest", digest(BODY, "md5", "sha-256"))]).signed())
good("a digest of no body", Request(method="POST", fields=[("content-digest", digest(b""))],
                                    covered=COVERED + ["content-digest"]).signed())
good("all components, in another order", post(
    target="/a/b?c", fields=[JSON, ("Date", "Tue, 20 Apr 2021 02:07:55 GMT")],
    covered=["date", "content-digest", "@target-uri", "@scheme", "@query", "@request-target", "@path", "content-type",
             "@authority", "@method"]).signed())
good("its algorithm is said", Request(alg='"ed25519"').signed())
good("its algorithm is said, P-256", Request(key="key-2", alg='"ecdsa-p256-sha256"').signed())
good("another label", Request(label="*a.b-c_1").signed())
good("white space around a value", Request(fields=[("X-A", " \ta \t")], covered=COVERED + ["x-a"]).signed())
good("a field without a value", Request(fields=[("X-A", "")], covered=COVERED + ["x-a"]).signed())
good("a host in capitals, with the port of its scheme", Request(authority="API.Example.COM:443").signed())
good("as long as may be", Request(expires=str(CREATED + 120)).signed())
good("its last moment", Request().signed(), now=CREATED * 1000 + 59_999)
good("its first moment", Request().signed(), now=CREATED * 1000 - 5_000)
foreign = f'proxy=("@method");created={CREATED};keyid="p";tag="other";x;y=?0;z=tok'
good("a proxy's signature beside it",
     Request().signed().set("signature-input", lambda own: f"{foreign}, {own}").set("signature", lambda own: f"{own}, proxy=:AAAA:"))

# Nothing of it can be changed.
case("another method", "not_signed", Request().signed().but(method="DELETE"))
case("another path", "not_signed", Request().signed().but(target="/v1/keys/"))
case("a query more", "not_signed", Request().signed().but(target="/v1/keys?a"))
case("a query less", "not_signed", Request(target="/v1/keys?a").signed().but(target="/v1/keys"))
case("another query", "not_signed", Request(target="/v1/keys?a=1&b=2").signed().but(target="/v1/keys?b=2&a=1"))
case("another encoding of the query", "not_signed", Request(target="/?a=%7e").signed().but(target="/?a=%7E"))
case("another of our hosts", "not_signed", Request().signed().but(authority="localhost:8080"))
case("another port", "not_signed", Request(authority="localhost:8080", scheme="http").signed().but(authority="localhost"))
case("somebody else's host", "other_authority", Request(authority="other.example.com").signed())
case("the default port of the other scheme", "other_authority", Request(authority="api.example.com:80").signed())
case("another content type", "not_signed", post().signed().set("content-type", "text/plain"))
case("another body", "other_body", post().signed().but(body=BODY + b" "))
case("another body, with its digest", "not_signed",
     post().signed().but(body=b"{}").set("content-digest", digest(b"{}")))
case("no body", "other_body", post().signed().but(body=b""))
case("a body more", "digest_missing", Request().signed().but(body=b"{}"))
case("a body more, with its digest", "not_covered", Request().signed().but(body=b"{}", fields=[["Content-Digest", digest(b"{}")]] + Request().signed().fields))
case("another covered field", "not_signed",
     Request(fields=[("X-A", "1")], covered=COVERED + ["x-a"]).signed().set("x-a", "2"))
case("another nonce", "not_signed", Request().signed().set("signature-input", lambda own: own.replace("wmz", "wmy")))
case("another time", "not_signed", Request().signed().set("signature-input", lambda own: own.replace(f"={CREATED + 60}", f"={CREATED + 61}")))
case("another order of what is covered", "not_signed", Request().signed().set(
    "signature-input", lambda own: own.replace('"@path" "@query"', '"@query" "@path"')))
case("by another key of the same algorithm", "not_signed", Request(key="key-1").signed(key="key-3"))
case("by a key of another algorithm", "not_signed", Request(key="key-1").signed(key="key-2"))
case("by a key that nobody knows", "not_signed", Request(keyid='"key-9"').signed())
case("the algorithm is another one than the key's", "other_algorithm", Request(alg='"ecdsa-p256-sha256"').signed())
case("the algorithm is none", "other_algorithm", Request(alg='"hmac-sha256"').signed())
# m04: a signature in DER is none.
der = Request(key="key-2")
case("a signature in DER", "not_signed", der.signed(signature=KEYS["key-2"].der(der.base())))
case("a signature cut off", "not_signed", Request().signed(signature=KEYS["key-1"].sign(Request().base())[:63]))
case("a signature of zeros, P-256", "not_signed", Request(key="key-2").signed(signature=bytes(64)))
case("a signature with a byte more", "not_signed", Request().signed(signature=KEYS["key-1"].sign(Request().base()) + b"\0"))

# Its time.
case("over", "expired", Request().signed(), now=CREATED * 1000 + 60_000)
case("long over", "expired", Request().signed(), now=2 * CREATED * 1000)
case("from the future", "not_yet", Request().signed(), now=CREATED * 1000 - 5_001)
case("for longer than may be", "lifetime_too_long", Request(expires=str(CREATED + 121)).signed())
case("it ends when it begins", "parameter_malformed", Request(expires=str(CREATED)).signed())
case("it ends before it begins", "parameter_malformed", Request(expires=str(CREATED - 1)).signed())
case("the same again", "replayed", Request().signed(), again=True)
case("before the start", "starting", Request().signed(), started=CREATED * 1000)
case("as long before the start as may be", "starting", Request().signed(), started=CREATED * 1000 - 5_000)

# What it says of itself.
for parameter in ["created", "expires", "nonce", "keyid"]:
    case(f"without {parameter}", "parameter_missing", Request(**{parameter: None}).signed())
case("without a tag", "signature_missing", Request(tag=None).signed())
case("with another tag", "signature_missing", Request(tag='"Tensfer"').signed())
case("its tag is a token", "signature_missing", Request(tag="tensfer").signed())
for parameter, value in [
    ("created", f'"{CREATED}"'), ("created", "-1"), ("created", "a"), ("expires", "?0"), ("nonce", ":AAAAAAAAAAAAAAAAAAAAAA==:"),
    ("nonce", "wmzZ8rC7Sj2vN0bTqLxkYg"), ("nonce", '"short-of-22-characters"'[:22] + '"'), ("nonce", f'"{65 * "a"}"'), ("nonce", '""'),
    ("nonce", '"wmzZ8rC7Sj2vN0bTqLxk Yg"'), ("keyid", '""'), ("keyid", f'"{65 * "k"}"'), ("keyid", '"key/1"'), ("keyid", "key-1"),
    ("alg", "ed25519"), ("alg", "1"),
]:
    case(f"{parameter} is {value}", "parameter_malformed", Request(**{parameter: value}).signed())
case("created has a fraction", "signature_malformed", Request(created=f"{CREATED}.0").signed())
case("created is a date", "signature_malformed", Request(created=f"@{CREATED}").signed())
case("a parameter that nobody knows", "parameter_unknown", Request(x="1").signed())
case("a parameter twice", "signature_malformed", Request(tag=f'"tensfer";created={CREATED}').signed())

# What it covers.
for component in COVERED:
    case(f"without {component}", "not_covered", Request(covered=[name for name in COVERED if name != component]).signed())
for component in WITH_BODY[4:]:
    case(f"without {component}", "not_covered", post(covered=[name for name in WITH_BODY if name != component]).signed())
case("nothing is covered", "not_covered", Request(covered=[">"]).signed())
case("the whole address instead of its parts", "not_covered", Request(covered=["@method", "@target-uri"]).signed())
case("a component twice", "component_repeated", Request(covered=COVERED + ["@path"]).signed())
case("a field twice", "component_repeated", Request(fields=[("x-a", "")], covered=COVERED + ["x-a", "x-a"]).signed())
case("a field that is not there", "component_absent", Request(covered=COVERED + ["x-a"]).signed())
for component in ["@status", "@query-param", "@signature-params", "@unknown", "@", "", "X-A", "x a", "x\\\"a"]:
    case(f"the component {component!r}", "component_unknown", Request(fields=[("x-a", "")], covered=COVERED + [component]).signed())
for parameter in ["req", "bs", "sf", "tr", 'key="a"', 'name="a"', "unknown"]:
    component = f'"x-a";{parameter}>'
    case(f"a component with ;{parameter}", "component_parameters",
         Request(fields=[("x-a", "a=1")], covered=COVERED + [component]).but(signs={component: "a=1"}).signed())
    method = [f'"@method";{parameter}>'] + COVERED[1:]
    case(f"the method with ;{parameter}", "component_parameters", Request(covered=method).but(signs={method[0]: "GET"}).signed())
token = COVERED + ["x-a>"]
case("a component as a token", "signature_malformed", Request(fields=[("x-a", "")], covered=token).signed())

# Spellings: each request has one.
case("a target with its host", "target_malformed", Request(target="https://api.example.com/v1/keys").signed())
for target in ["*", "", "v1", "//api.example.com/", "/a//b", "/a/./b", "/a/../b", "/a/..", "/.", "/%2e%2e/a", "/%2E/a", "/%41", "/%c3%a9",
               "/a?", "/a?b#c", "/a#b", "/a b", "/%", "/%g0", "/a?%", "/\xe9", "/a\\b", "/a\tb"]:
    case(f"the target {target!r}", "target_malformed", Request(target=target).signed())
case("a path encoded otherwise than it was signed", "not_signed", Request(target="/a%20b").but(signs={"@path": "/a b"}).signed())
case("a path decoded for its signature", "not_signed", Request(target="/a%2Fb").but(signs={"@path": "/a/b"}).signed())
case("a query that was signed without its mark", "not_signed", Request(target="/?a").but(signs={"@query": "a"}).signed())
case("no query that was signed as nothing", "not_signed", Request().but(signs={"@query": ""}).signed())
case("a host that was signed in capitals", "not_signed", Request(authority="API.example.com").but(signs={"@authority": "API.example.com"}).signed())
case("a default port that was signed", "not_signed", Request(authority="api.example.com:443").but(signs={"@authority": "api.example.com:443"}).signed())
case("a method that was signed in small letters", "not_signed", Request().but(signs={"@method": "get"}).signed())
case("a method in small letters", "method_malformed", Request(method="get").signed())
case("a method with a line end", "method_malformed", Request(method='GET\n"@path": /').signed())
for authority in ["", "api.example.com:", "api.example.com:0443", "user@api.example.com", "api.example.com.", "api.example.com, b", "api.example.com:65536"]:
    case(f"the host {authority!r}", "authority_malformed", Request(authority=authority).signed())
case("a field of another host", "authority_malformed", Request(fields=[("Host", "localhost:8080")]).signed())
case("two hosts", "authority_malformed", Request(fields=[("Host", HOST), ("Host", HOST)]).signed())

# Fields: one line each.
twice = {"fields": [("X-A", "1"), ("X-A", "2")], "covered": COVERED + ["x-a"]}
case("a covered field twice", "field_repeated", Request(**twice).signed())
case("two lines of a covered field that were joined", "not_signed", Request(**{**twice, "fields": [("X-A", "1,2")]}).but(signs={"x-a": "1, 2"}).signed())
case("a covered field that was split", "field_repeated", Request(**{**twice, "fields": [("X-A", "1, 2")]}).signed().but(
    fields=[["X-A", "1"]] + Request(**{**twice, "fields": [("X-A", "2")]}).but(signs={"x-a": "1, 2"}).signed().fields))
case("the content type twice", "field_repeated", post(fields=[JSON, JSON]).signed())
case("the digest twice", "field_repeated", post(fields=[JSON, ("Content-Digest", digest(BODY)), ("Content-Digest", digest(BODY))]).signed())
for value in ["a\r\n b", "a\nb", "a\rb", "a\0b", "caf\xe9", "\x7f"]:
    case(f"the field {value!r}", "field_malformed", Request(fields=[("X-A", value)], covered=COVERED + ["x-a"]).signed())
case("a field folded after it was signed", "field_malformed",
     Request(fields=[("X-A", "a b")], covered=COVERED + ["x-a"]).signed().set("x-a", "a\r\n b"))
case("a digest that is folded", "field_malformed", post().signed().set("content-digest", lambda own: own + ",\r\n sha-512=:AAAA:"))
case("content that is encoded", "content_encoded", post(fields=[JSON, ("Content-Encoding", "gzip")]).signed())
case("content whose encoding is signed", "content_encoded",
     post(fields=[JSON, ("Content-Encoding", "identity")], covered=WITH_BODY + ["content-encoding"]).signed())
case("a body without a type", "body_untyped", post(fields=[], covered=COVERED + ["content-digest"]).signed())
case("a body without a digest", "digest_missing", post(covered=COVERED + ["content-type"]).without("content-digest").signed())
for value, expect in [
    (digest(BODY, "md5"), "digest_missing"), (f"sha-256={b64(hashlib.sha256(BODY).digest())}", "digest_malformed"),
    (f"{digest(BODY)}, sha-512=:AAAA:", "other_body"), (f"SHA-256=:{b64(hashlib.sha256(BODY).digest())}:", "digest_malformed"),
    (f"sha-256=:{b64(bytes([255] * 32)).replace('/', '_')}:", "digest_malformed"),
    (f"sha-256=:{b64(hashlib.sha256(BODY).digest())[:-1]}:", "digest_malformed"), (f"{digest(BODY)}, {digest(BODY)}", "digest_malformed"),
    (f"sha-256=:{hashlib.sha256(BODY).hexdigest()}:", "other_body"),
]:
    case(f"the digest {value}", expect, post(fields=[JSON, ("Content-Digest", value)]).signed())

# The two fields of a signature.
case("no signature", "signature_missing", Request())
case("only the input", "signature_missing", Request().signed().without("signature"))
case("only the signature", "signature_missing", Request().signed().without("signature-input"))
case("two lines of input", "field_repeated", Request().signed().but(fields=Request().signed().fields + [["Signature-Input", foreign]]))
case("two lines of signatures", "field_repeated", Request().signed().but(fields=Request().signed().fields + [["Signature", "a=:AAAA:"]]))
case("an input without a signature", "signature_malformed", Request().signed().set("signature-input", lambda own: f"{own}, {foreign}"))
case("a signature without an input", "signature_malformed", Request().signed().set("signature", lambda own: f"{own}, a=:AAAA:"))
case("another label", "signature_malformed", Request().signed().set("signature", lambda own: own.replace("tensfer=", "sig1=")))
case("two with our tag", "signature_repeated", Request().signed().set(
    "signature-input", lambda own: f"{own}, b=" + own.partition("=")[2]).set("signature", lambda own: f"{own}, b=" + own.partition("=")[2]))
case("a label twice", "signature_malformed", Request().signed().set("signature-input", lambda own: f"{own}, {own}"))
case("an input that is no list", "signature_malformed", Request().signed().set("signature-input", 'tensfer="@method";tag="tensfer"'))
case("a signature that is a string", "signature_malformed", Request().signed().set("signature", lambda own: own.replace(":", '"')))
case("a signature that is a list", "signature_malformed", Request().signed().set("signature", lambda own: own.replace("=:", "=(:", 1) + ")"))
for name, change in [
    ("two spaces", lambda own: own.replace('" "', '"  "', 1)), ("a space at the list's end", lambda own: own.replace(")", " )")),
    ("a space before a parameter", lambda own: own.replace(";", "; ", 1)), ("a label in capitals", lambda own: own.replace("tensfer=(", "Tensfer=(")),
    ("a number with a zero before it", lambda own: own.replace("created=", "created=0")), ("a needless escape", lambda own: own.replace("wmz", "w\\mz")),
    ("a comma at the end", lambda own: own + ","), ("a byte that is not ASCII", lambda own: own.replace("wmz", "wm\xe9")),
    ("nothing", lambda own: ""), ("too long a field", lambda own: own.replace("wmz", "w" * 4096)),
]:
    expect = "field_malformed" if "ASCII" in name else "signature_malformed"
    case(f"{name} in the input", expect, Request().signed().set("signature-input", change))
for name, change in [
    ("no padding", lambda own: own.replace("==:", ":")), ("a bit of padding that is set", lambda own: own.replace("A==:", "B==:").replace("Q==:", "R==:").replace("g==:", "h==:").replace("w==:", "x==:")),
    ("a space", lambda own: own.replace("=:", "=: ")), ("a parameter's comma", lambda own: own + ",a"),
]:
    case(f"{name} in the signature", "signature_malformed", Request().signed().set("signature", change))

bad = sum(case["expect"] != "verified" for case in CASES)
assert bad > 2 * (len(CASES) - bad)
json.dump({
    "here": [["https", HOST], ["http", "localhost:8080"], ["http", "localhost"], ["https", "localhost:8080"], ["https", "[::1]:8443"]],
    "keys": {
        keyid: {"algorithm": key.name, "public": key.public.hex(), "pkcs8": key.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).hex()}
        for keyid, key in KEYS.items()
    },
    "cases": CASES,
}, sys.stdout, indent=1)
print()
