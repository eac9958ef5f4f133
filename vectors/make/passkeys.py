#!/usr/bin/env python3
"""Known answers for assertions of passkeys over requests. Shares no code with the implementation; written from
docs/spec/passkeys.md and W3C Web Authentication Level 3.

usage: passkeys.py > vectors/passkeys.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Signatures are deterministic, so every
run gives the same file.
"""
import base64
import json
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from protocol import Ed, P256, SECOND, cbor, sha256, transcript

ID, ORIGIN, OTHER, SHOP = "vault.example", "https://vault.example", "https://app.vault.example:8443", "https://shop.example"
PARTIES = [{"id": ID, "origins": [ORIGIN, OTHER]}, {"id": "localhost", "origins": ["http://localhost:8080"]}]
UP, RFU1, UV, BE, BS, RFU2, AT, ED = (1 << bit for bit in range(8))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Es(P256):
    """Signs in DER, as authenticators do (WebAuthn §6.5.5)."""

    def sign(self, message):
        return self.key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


class Passkey:
    def __init__(self, key, party=ID, origins=(ORIGIN, OTHER), embedders=(), backup=True):
        named = {0: b"credential " + bytes([key.index]) * 5, 1: party, 2: list(origins)}
        if embedders:
            named[3] = list(embedders)
        named[4] = backup
        self.key, self.party, self.backup = key, party, backup
        self.encoded = cbor({0: key.index, 1: key.public, 2: SECOND, 3: named})
        self.name = sha256(transcript("tensfer/owner-key/v1", self.encoded))

    def challenge(self, request):
        return sha256(transcript("tensfer/owner-assertion/v1", self.name, sha256(request)))


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def client(challenge, kind="webauthn.get", origin=ORIGIN, cross="false", rest=""):
    """As WebAuthn §5.8.1.1 serialises it."""
    cross = f',"crossOrigin":{cross}' if cross else ""
    return f'{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{cross}{rest}}}'.encode()


def authenticator(flags=UP | UV | BE, party=ID, counter=0, rest=b""):
    return sha256(party.encode()) + bytes([flags]) + struct.pack(">I", counter) + rest


def integer(data, pad=b""):
    return b"\x02" + bytes([len(pad + data)]) + pad + data


def parts(der):
    """The contents of the two INTEGERs."""
    length = der[3]
    return der[4:4 + length], der[6 + length:]


def sequence(content, extra=b""):
    return b"\x30" + bytes([len(content)]) + content + extra


def long_form(data):
    """An element of less than 128 bytes with its length in the long form."""
    return data[:1] + b"\x81" + data[1:]


ES, ED_KEY, FRAMED = Passkey(Es(0xC0FFEE)), Passkey(Ed(bytes([7]) * 32), backup=False), Passkey(Es(0xFACADE), embedders=[SHOP])
LOCAL = Passkey(Es(0x10CA1), "localhost", ["http://localhost:8080"])
GONE = Passkey(Es(0x60E), "gone.example", ["https://gone.example"])
WIDER = Passkey(Es(0x81D), origins=[ORIGIN, "https://old.vault.example"])
KEYS = [ES, ED_KEY, FRAMED, LOCAL, GONE, WIDER]
REQUEST = bytes(range(200))


def case(name, key=ES, *, fault=None, made_for=None, client_data=None, data=None, signature=None, sign=None):
    """One assertion: `fault` is why it is refused; `None`: it counts."""
    challenge = url64((made_for or key).challenge(REQUEST))
    default = {LOCAL: "http://localhost:8080", GONE: "https://gone.example"}.get(key, ORIGIN)
    given = client(challenge, origin=default) if client_data is None else client_data(challenge)
    if data is None:
        data = authenticator(UP | UV | (BE if key.backup else 0), key.party)
    made = (sign or key).key.sign(data + sha256(given))
    made = made if signature is None else signature(made)
    encoded = cbor({0: key.name, 1: data, 2: given, 3: made})
    return {"name": name, "key": KEYS.index(key), "authenticator": data.hex(), "client": given.hex(), "signature": made.hex(),
            "encoded": encoded.hex(), **({"fault": fault} if fault else {})}


def with_client(**changes):
    return lambda challenge: client(challenge, **changes)


def as_text(change):
    """The client data with its text changed."""
    return lambda challenge: change(client(challenge).decode()).encode()


def good():
    yield case("a synced passkey of P-256")
    yield case("a passkey of Ed25519 that stays on its device", ED_KEY)
    yield case("on localhost", LOCAL)
    yield case("at the second origin", client_data=with_client(origin=OTHER))
    yield case("inside the page that the key names", FRAMED,
               client_data=with_client(cross="true", rest=f',"topOrigin":"{SHOP}"'))
    yield case("a key that names a page to be inside of, not inside any", FRAMED)
    yield case("backed up at the moment", data=authenticator(UP | UV | BE | BS))
    yield case("a counter", data=authenticator(counter=4_000_000_000))
    yield case("answers of extensions", data=authenticator(UP | UV | BE | ED, rest=cbor({"hmac-secret": bytes(48), "x": [1, {"y": True}]})))
    yield case("no answers of extensions", data=authenticator(UP | UV | BE | ED, rest=cbor({})))
    yield case("a browser that does not know crossOrigin", client_data=with_client(cross=""))
    yield case("members that nobody reads, twice", client_data=with_client(
        rest=',"other_keys_can_be_added_here":"do not compare clientDataJSON against a template","n":[1,{"type":"x"}],"n":null'))
    yield case("members in another order, with space", client_data=lambda challenge: (
        f' {{ "crossOrigin" : false,\n"origin":"{ORIGIN}",\t"challenge":"{challenge}","type":"webauthn.get" }}\r\n').encode())
    yield case("escapes", client_data=as_text(lambda text: text.replace("/", "\\/").replace('"type"', '"\\u0074ype"')))
    yield case("the larger s", signature=larger_s)


def shortest(number):
    """As the content of a DER INTEGER."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def larger_s(der):
    """(r, n - s) verifies as (r, s) does. A signature is no name of a request."""
    r, s = (int.from_bytes(part, "big") for part in parts(der))
    return sequence(integer(shortest(r)) + integer(shortest(ORDER - s)))


def bad_client():
    def text(name, change, fault="client"):
        return case(name, fault=fault, client_data=as_text(change))
    yield case("a registration", fault="type", client_data=with_client(kind="webauthn.create"))
    yield case("a payment", fault="type", client_data=with_client(kind="payment.get"))
    yield case("the type in other letters", fault="type", client_data=with_client(kind="WebAuthn.get"))
    yield case("over another request", fault="challenge", client_data=lambda _: client(url64(ES.challenge(REQUEST + b"\0"))))
    yield case("over the request, for another key", fault="challenge", made_for=FRAMED)
    yield case("over the request's hash alone", fault="challenge", client_data=lambda _: client(url64(sha256(REQUEST))))
    yield case("a challenge with padding", fault="challenge", client_data=lambda challenge: client(challenge + "="))
    yield case("a challenge in the other alphabet", fault="challenge", client_data=lambda _: client(
        base64.b64encode(ES.challenge(REQUEST)).rstrip(b"=").decode() + "+"))
    yield case("a challenge with something behind it", fault="challenge", client_data=lambda challenge: client(challenge + "A"))
    yield case("no challenge in it", fault="challenge", client_data=lambda _: client(""))
    for name, origin in [
        ("another site", "https://evil.example"), ("a site whose name ends the same", "https://evilvault.example"),
        ("a site whose name begins the same", "https://vault.example.evil.test"), ("a name below it that the key does not name", "https://x.vault.example"),
        ("another scheme", "http://vault.example"), ("another port", "https://vault.example:8443"), ("its own port, written", "https://vault.example:443"),
        ("a slash behind it", "https://vault.example/"), ("other letters", "https://Vault.example"), ("an app", "android:apk-key-hash:AAAA"),
        ("no origin", "null"), ("nothing", ""), ("an origin of another relying party", "http://localhost:8080"),
    ]:
        yield case(f"at {name}", fault="origin", client_data=with_client(origin=origin))
    yield case("inside a page that the key does not name", fault="embedded",
               client_data=with_client(cross="true", rest=f',"topOrigin":"{SHOP}"'))
    yield case("inside another page than the key names", FRAMED, fault="embedded",
               client_data=with_client(cross="true", rest=',"topOrigin":"https://evil.example"'))
    yield case("inside a page that is not told", FRAMED, fault="embedded", client_data=with_client(cross="true"))
    yield case("inside its own page, told as another's", fault="embedded", client_data=with_client(cross="true", rest=f',"topOrigin":"{ORIGIN}"'))
    yield case("a page around it, and not inside any", FRAMED, fault="embedded", client_data=with_client(rest=f',"topOrigin":"{SHOP}"'))
    yield case("a page around it, and nothing said of being inside", FRAMED, fault="embedded", client_data=with_client(cross="", rest=f',"topOrigin":"{SHOP}"'))
    for member in ("type", "challenge", "origin"):
        yield text(f"no {member}", lambda text, member=member: text.replace(f'"{member}"', f'"{member}x"'))
        yield text(f"a {member} that is no text", lambda text, member=member: json.dumps({**json.loads(text), member: 7}))
    evil = '"origin":"https://evil.example",'
    yield text("two origins, the right one last", lambda text: text.replace('"origin"', evil + '"origin"'))
    yield text("two origins, the right one first", lambda text: text[:-1] + "," + evil[:-1] + "}")
    yield text("two origins, one of them in escapes", lambda text: text[:-1] + ',"\\u006frigin":"https://evil.example"}')
    yield text("the same type twice", lambda text: text[:-1] + ',"type":"webauthn.get"}')
    yield text("two challenges", lambda text: text[:-1] + ',"challenge":"AAAA"}')
    yield text("crossOrigin twice", lambda text: text[:-1] + ',"crossOrigin":false}')
    yield text("two pages around it", lambda text: text[:-1] + f',"topOrigin":"{SHOP}","topOrigin":"{SHOP}"}}')
    yield text("crossOrigin as text", lambda text: text.replace("false", '"false"'))
    yield text("crossOrigin null", lambda text: text.replace("false", "null"))
    yield text("crossOrigin as a number", lambda text: text.replace("false", "0"))
    yield text("a page around it that is null", lambda text: text[:-1] + ',"topOrigin":null}')
    yield text("everything inside another object", lambda text: f'{{"clientData":{text}}}')
    yield text("a list", lambda text: f"[{text}]")
    yield text("text", lambda text: json.dumps(text))
    yield text("a comma at the end", lambda text: text[:-1] + ",}")
    yield text("a comment", lambda text: text + "//")
    yield text("two objects", lambda text: text + text)
    yield text("single quotes", lambda text: text.replace('"', "'"))
    yield text("cut off", lambda text: text[:-1])
    yield text("a zero byte behind it", lambda text: text + "\0")
    yield text("a byte order mark", lambda text: "\ufeff" + text)
    yield text("too long", lambda text: text[:-1] + ',"x":"' + "x" * 4096 + '"}')
    yield text("too deep", lambda text: text[:-1] + ',"x":' + "[" * 60 + "]" * 60 + "}")
    yield case("bytes that are no UTF-8", fault="client", client_data=lambda challenge: client(challenge)[:-1] + b',"x":"\xff"}')
    yield case("nothing at all", fault="client", client_data=lambda _: b"")


def bad_authenticator():
    def data(name, fault, value, key=ES):
        return case(name, key, fault=fault, data=value)
    yield data("for another relying party", "relying_party", authenticator(party="evil.example"))
    yield data("for the origin in the place of its domain", "relying_party", authenticator(party=ORIGIN))
    yield data("for a relying party that the enclave has, and not the key", "relying_party", authenticator(party="localhost"))
    yield data("nobody was there", "not_present", authenticator(UV | BE))
    yield data("nobody was asked who they are", "not_verified", authenticator(UP | BE))
    yield data("neither", "not_present", authenticator(BE))
    yield data("backed up, and cannot be", "backup", authenticator(UP | UV | BS), ED_KEY)
    yield data("can be backed up, and the key says it cannot", "backup", authenticator(UP | UV | BE), ED_KEY)
    yield data("cannot be backed up, and the key says it can", "backup", authenticator(UP | UV))
    yield data("the second bit, which is reserved", "authenticator", authenticator(UP | UV | BE | RFU1))
    yield data("the sixth bit, which is reserved", "authenticator", authenticator(UP | UV | BE | RFU2))
    yield data("a credential, as in a registration", "authenticator", authenticator(
        UP | UV | BE | AT, rest=bytes(16) + b"\0\x01A" + cbor({1: 2})))
    yield data("answers of extensions without their flag", "authenticator", authenticator(rest=cbor({"x": 1})))
    yield data("their flag without answers", "authenticator", authenticator(UP | UV | BE | ED))
    yield data("answers that are no map", "authenticator", authenticator(UP | UV | BE | ED, rest=cbor([])))
    yield data("answers under a number", "authenticator", authenticator(UP | UV | BE | ED, rest=cbor({1: 2})))
    yield data("answers that are cut off", "authenticator", authenticator(UP | UV | BE | ED, rest=cbor({"x": b"12345678"})[:-1]))
    yield data("answers without an end", "authenticator", authenticator(UP | UV | BE | ED, rest=b"\xbf\xff"))
    yield data("something behind the answers", "authenticator", authenticator(UP | UV | BE | ED, rest=cbor({"x": 1}) + b"\0"))
    yield data("something behind the counter", "authenticator", authenticator(rest=b"\0"))
    yield data("too short by a byte", "authenticator", authenticator()[:-1])
    yield data("too long", "authenticator", authenticator(UP | UV | BE | ED, rest=cbor({"x": bytes(1024)})))
    yield data("nothing of the authenticator", "authenticator", b"")


def bad_signature():
    def form(name, change, key=ES):
        return case(name, key, fault="signature_form", signature=change)
    rebuilt = lambda change: lambda der: sequence(b"".join(change(*parts(der))))
    yield form("raw r and s", lambda der: b"".join(part[-32:].rjust(32, b"\0") for part in parts(der)))
    yield form("a zero before r", rebuilt(lambda r, s: (integer(r, b"\0"), integer(s))))
    yield form("a zero before s", rebuilt(lambda r, s: (integer(r), integer(s, b"\0"))))
    yield form("a negative r", rebuilt(lambda r, s: (integer(b"\x80" + r[-31:]), integer(s))))
    yield form("r is zero", rebuilt(lambda r, s: (integer(b"\0"), integer(s))))
    yield form("no s", rebuilt(lambda r, s: (integer(r),)))
    yield form("an empty r", rebuilt(lambda r, s: (integer(b""), integer(s))))
    yield form("a third number", rebuilt(lambda r, s: (integer(r), integer(s), integer(b"\1"))))
    yield form("r of 34 bytes", rebuilt(lambda r, s: (integer(b"\1" + bytes(33)), integer(s))))
    yield form("a long form of the length", long_form)
    yield form("a long form inside", rebuilt(lambda r, s: (long_form(integer(r)), integer(s))))
    yield form("no end", lambda der: b"\x30\x80" + der[2:] + b"\0\0")
    yield form("something behind it", lambda der: der + b"\0")
    yield form("cut off", lambda der: der[:-1])
    yield form("a set", lambda der: b"\x31" + der[1:])
    yield form("no signature", lambda der: b"")
    yield form("a signature of Ed25519 in DER", lambda raw: sequence(integer(raw[:32]) + integer(raw[32:])), ED_KEY)
    yield form("63 bytes of Ed25519", lambda raw: raw[:-1], ED_KEY)
    yield case("by another key", fault="signature", sign=FRAMED)
    yield case("by another key of Ed25519", ED_KEY, fault="signature", signature=lambda _: Ed(bytes([8]) * 32).sign(b"x"))
    yield case("over something else", fault="signature", signature=lambda _: ES.key.sign(b"something else"))
    yield case("a relying party that the enclave does not have", GONE, fault="not_served")
    yield case("an origin of the key that the enclave does not have", WIDER, fault="not_served")


def main():
    print(json.dumps({
        "about": "made by vectors/make/passkeys.py; bytes in hexadecimal. `fault` says which check refuses; without it the assertion counts",
        "relying_parties": PARTIES,
        "request": REQUEST.hex(),
        "keys": [{"encoded": key.encoded.hex(), "name": key.name.hex(), "challenge": key.challenge(REQUEST).hex()} for key in KEYS],
        "cases": [*good(), *bad_client(), *bad_authenticator(), *bad_signature()],
    }, indent=1))


if __name__ == "__main__":
    main()
