#!/usr/bin/env python3
"""Known answers and refusals for the envelope. Shares no code with the implementation; written from docs/spec/envelope.md.

usage: envelope.py > vectors/envelope.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Keys, nonces and randomness are
fixed, so every run gives the same file.
"""
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def cbor(value):
    """Deterministic CBOR (RFC 8949 §4.2.1) of int, bytes, str, list and dict with ascending integer keys."""
    def head(major, number):
        for limit, extra, form in ((24, None, None), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
            if number < limit:
                return bytes([major << 5 | (number if extra is None else extra)]) + (struct.pack(form, number) if form else b"")
        raise ValueError(number)
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(value[key]) for key in sorted(value))


def lp(data):
    return struct.pack(">I", len(data)) + data


def transcript(domain, *fields):
    return lp(domain.encode()) + b"".join(lp(struct.pack(">Q", f) if isinstance(f, int) else f) for f in fields)


def hkdf(ikm, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"", info=info).derive(ikm)


def padme(length):
    length = max(length, 512)
    exponent = length.bit_length() - 1
    kept = exponent.bit_length()
    step = 1 << (exponent - kept)
    return -(-length // step) * step


def pad(text):
    text = lp(text)
    return text + bytes(padme(len(text)) - len(text))


def binding(header):
    """Member 5, the consent class, is there for every class but `any`, and then it is the last field."""
    return (header[3], header[0], header[1], header[2]) + ((header[5],) if 5 in header else ())


def owner_set(owners):
    return hashlib.sha256(transcript("tensfer/owner-set/v1", *sorted(map(cbor, owners)))).digest()


def share_of(owner_secret, connection, version):
    return hkdf(owner_secret, transcript("tensfer/share/v1", connection, version))


def commitment_of(data_key):
    return hkdf(data_key, transcript("tensfer/envelope/key-commitment/v1"))


def bound(envelope):
    """The envelope's bytes up to and with the epoch."""
    front = b"\xa5" + b"".join(cbor(key) + cbor(envelope[key]) for key in range(4))
    return front + b"\x04\xa3\x00" + cbor(envelope[4][0])


def wrap_outer(envelope, inner, root, nonce):
    epoch = envelope[4][0]
    key = hkdf(root, transcript("tensfer/envelope/root-wrap/v1", *binding(envelope[1]), epoch))
    envelope[4] = {0: epoch, 1: nonce, 2: AESGCM(key).encrypt(nonce, inner, bound(envelope))}


def wrap_inner(header, commitment, data_key, share, nonce):
    key = hkdf(share, transcript("tensfer/envelope/share-wrap/v1", *binding(header)))
    aad = transcript("tensfer/envelope/share-wrap-aad/v1", header[4], commitment)
    return nonce + AESGCM(key).encrypt(nonce, data_key, aad)


def seal(header, plaintext, epoch, root, share, randomness, commitment=None):
    """Returns the envelope (a dict) and its inner wrap. Randomness: data key, payload, inner and outer nonce."""
    data_key, nonces = randomness[:32], [randomness[32 + 12 * i:44 + 12 * i] for i in range(3)]
    key = hkdf(data_key, transcript("tensfer/envelope/payload-key/v1", *binding(header), header[4]))
    aad = transcript("tensfer/envelope/payload/v1", *binding(header), header[4], 1)
    commitment = commitment or commitment_of(data_key)
    envelope = {0: 1, 1: header, 2: {0: nonces[0], 1: AESGCM(key).encrypt(nonces[0], plaintext, aad)}, 3: commitment, 4: {0: epoch}}
    inner = wrap_inner(header, commitment, data_key, share, nonces[1])
    wrap_outer(envelope, inner, root, nonces[2])
    return envelope, inner


def fixed(label, length):
    """Fixed bytes that look like none of the others."""
    return hashlib.shake_256(("tensfer vectors " + label).encode()).digest(length)


ORGANISATION, CONNECTION, OWNER_SECRET = fixed("organisation", 16), fixed("connection", 16), fixed("owner secret", 32)
DEVICE = {0: 0, 1: fixed("device", 32), 2: 0}
SECOND = {0: 1, 1: b"\x04" + fixed("second", 64), 2: 1}
ROOTS = {epoch: fixed(f"root {epoch}", 32) for epoch in (1, 2, 3, 24, 256)}
CLASSES = ("any", "delayed", "owner")
COMMITMENTS = {"any": "tensfer/root-commitment/v1", "delayed": "tensfer/root-commitment/delayed/v1", "owner": "tensfer/root-commitment/owner/v1"}
CREATED = 1_764_000_000_000


def finding(exchange, count):
    capability = lambda n: {0: f"capability-{n}", 1: n % 3, 2: n % 3, 3: f"GET /permissions/{n}", 4: fixed(f"response {n}", 32)}
    return {0: CONNECTION, 1: exchange, 2: [{0: "read", 1: 1, 2: 2}] + [capability(n) for n in range(count)], 3: CREATED, 4: CREATED + 600_000}


def payload_of(credential, exchange, owners, capabilities, generation):
    return {0: credential, 1: exchange, 2: owners, 3: finding(exchange, capabilities), 4: generation, 5: CREATED}


def header_of(owners, generation, consent=0):
    header = {0: ORGANISATION, 1: CONNECTION, 2: owner_set(owners), 3: 0, 4: generation}
    return {**header, 5: consent} if consent else header


def sealed_case(name, epoch, generation, owners, credential, exchange, capabilities, version=1, consent=0):
    header, share = header_of(owners, generation, consent), share_of(OWNER_SECRET, CONNECTION, version)
    payload, randomness = cbor(payload_of(credential, exchange, owners, capabilities, generation)), fixed("randomness " + name, 68)
    envelope, inner = seal(header, pad(payload), epoch, ROOTS[epoch], share, randomness)
    case = {
        "name": name, "class": CLASSES[consent], "epoch": epoch, "root": ROOTS[epoch], "share": share, "organisation": ORGANISATION, "connection": CONNECTION,
        "generation": generation, "owners": [cbor(owner) for owner in owners], "exchange": exchange, "finding": cbor(finding(exchange, capabilities)),
        "created": CREATED, "credential": credential, "randomness": randomness, "payload": payload, "commitment": envelope[3],
        "envelope": cbor(envelope),
    }
    return case, envelope, inner


SMALL = b'{"apiKey":"k","secret":"s"}'
LARGE = b'{"apiKey":"k","secret":"' + b"s" * 3000 + b'"}'
SEALED = [
    sealed_case("one owner key, smallest bucket", 1, 1, [DEVICE], SMALL, "kraken", 0),
    sealed_case("two owner keys, sorted as bytes for their hash", 1, 1, [SECOND, DEVICE], SMALL, "okx", 2),
    sealed_case("a larger bucket", 24, 1, [DEVICE, SECOND], LARGE, "coinbase", 12),
    sealed_case("epoch and generation of two bytes", 256, 300, [DEVICE], SMALL, "bybit", 5, version=2),
    sealed_case("class delayed", 2, 1, [DEVICE], SMALL, "kraken", 1, consent=1),
    sealed_case("class owner", 3, 7, [DEVICE, SECOND], SMALL, "kraken", 1, consent=2),
]


def rewrapped():
    _, envelope, inner = SEALED[0]
    for epoch in (2, 24, 256):
        nonce, moved = fixed(f"re-wrap {epoch}", 12), {**envelope, 4: {0: epoch}}
        wrap_outer(moved, inner, ROOTS[epoch], nonce)
        yield {"name": f"to epoch {epoch}", "from": SEALED[0][0]["envelope"], "roots": [[1, ROOTS[1]], [epoch, ROOTS[epoch]]],
               "nonce": nonce, "envelope": cbor(moved)}


def refused():
    """Each with the root of epoch 1 and the share of SEALED[0], unless it says otherwise."""
    case, good, inner = SEALED[0]
    header, share, root, randomness = good[1], case["share"], ROOTS[1], case["randomness"]
    plaintext = pad(case["payload"])
    other = {"organisation": (0, fixed("another organisation", 16)), "connection": (1, fixed("another connection", 16)),
             "owners": (2, owner_set([SECOND])), "generation": (4, 2)}

    def named(name, envelope, refusal="envelope_refused", **changed):
        return {"name": name, "refusal": refusal, "envelope": envelope if isinstance(envelope, bytes) else cbor(envelope),
                "root": changed.get("root", root), "share": changed.get("share", share)}

    yield named("another share", good, share=share_of(OWNER_SECRET, CONNECTION, 2))
    yield named("the owner secret itself as share", good, share=OWNER_SECRET)
    yield named("another root", good, root=ROOTS[2])
    yield named("an epoch that is not held", SEALED[2][1], "unknown_epoch", share=SEALED[2][0]["share"])
    for field, (key, value) in other.items():
        swapped = {**header, key: value}
        yield named(f"another {field} in the header", {**good, 1: swapped})
        moved = {**good, 1: swapped, 4: {0: 1}}
        wrap_outer(moved, inner, root, randomness[56:])
        yield named(f"another {field}, outer wrap made to fit: the inner does not", moved)
        inner_too = wrap_inner(swapped, good[3], randomness[:32], share, randomness[44:56])
        moved = {**good, 1: swapped, 4: {0: 1}}
        wrap_outer(moved, inner_too, root, randomness[56:])
        yield named(f"another {field}, both wraps made to fit: the payload does not", moved)
    yield named("another purpose in the header", {**good, 1: {**header, 3: 1}}, "malformed")
    yield named("payload of another envelope", {**good, 2: SEALED[1][1][2]})
    yield named("commitment of another envelope", {**good, 3: SEALED[1][1][3]})
    yield named("wrap of another envelope", {**good, 4: SEALED[1][1][4]})
    yield named("epoch moved on without a re-wrap", {**good, 4: {**good[4], 0: 2}}, "unknown_epoch")
    wrong = fixed("another data key", 32)
    yield named("commitment to another data key", seal(header, plaintext, 1, root, share, randomness, commitment_of(wrong))[0])
    lying = [
        ("payload of another generation", pad(cbor(payload_of(SMALL, "kraken", [DEVICE], 0, 2)))),
        ("payload of another owner set", pad(cbor(payload_of(SMALL, "kraken", [SECOND], 0, 1)))),
        ("payload with a byte after it", pad(case["payload"] + b"\0")),
        ("padding that is not zero", plaintext[:-1] + b"\1"),
        ("padding to no bucket", plaintext + b"\0"),
        ("length beyond the plaintext", b"\xff\xff\xff\xff" + plaintext[4:]),
        ("no padding", lp(case["payload"])),
        ("an empty plaintext", b""),
    ]
    for name, text in lying:
        yield named(name, seal(header, text, 1, root, share, randomness)[0])
    # One secret as root of every class: what is sealed under one opens under no other.
    for consent in (1, 2):
        yield named(f"class {CLASSES[consent]} in the header of another", {**good, 1: {**header, 5: consent}})
        moved = {**good, 1: {**header, 5: consent}, 4: {0: 1}}
        wrap_outer(moved, inner, root, randomness[56:])
        yield named(f"class {CLASSES[consent]}, outer wrap made to fit: the inner does not", moved)
        inner_too = wrap_inner({**header, 5: consent}, good[3], randomness[:32], share, randomness[44:56])
        moved = {**good, 1: {**header, 5: consent}, 4: {0: 1}}
        wrap_outer(moved, inner_too, root, randomness[56:])
        yield named(f"class {CLASSES[consent]}, both wraps made to fit: the payload does not", moved)
        strict = seal({**header, 5: consent}, plaintext, 1, root, share, randomness)[0]
        yield named(f"class {CLASSES[consent]} taken out of the header", {**strict, 1: header})
        yield named(f"class {CLASSES[3 - consent]} in the place of {CLASSES[consent]}", {**strict, 1: {**header, 5: 3 - consent}})
    yield named("class any written out", {**good, 1: {**header, 5: 0}}, "malformed")
    yield named("an unknown class", {**good, 1: {**header, 5: 3}}, "malformed")
    yield named("a seventh member in the header", {**good, 1: {**header, 5: 1, 6: 0}}, "malformed")
    raw = cbor(good)
    yield named("nothing", b"", "malformed")
    yield named("a byte after the envelope", raw + b"\0", "malformed")
    yield named("the last byte missing", raw[:-1], "malformed")
    yield named("a long form of the version", raw.replace(b"\xa5\x00\x01\x01", b"\xa5\x00\x18\x01\x01", 1), "malformed")
    yield named("a map of indefinite length", b"\xbf" + raw[1:] + b"\xff", "malformed")
    yield named("version 2", {**good, 0: 2}, "malformed")
    yield named("generation 0", {**good, 1: {**header, 4: 0}}, "malformed")
    yield named("a long form of the epoch", raw.replace(b"\x04\xa3\x00\x01\x01", b"\x04\xa3\x00\x18\x01\x01", 1), "malformed")
    yield named("an epoch of 33 bits", {**good, 4: {**good[4], 0: 1 << 32}}, "malformed")
    yield named("an unknown key", {**good, 5: 0}, "malformed")
    yield named("no wrap", {key: good[key] for key in range(4)}, "malformed")
    yield named("a payload too short for a tag", {**good, 2: {0: good[2][0], 1: bytes(15)}})


def readable(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    json.dump(readable({
        "source": "vectors/make/envelope.py, from docs/spec/envelope.md; bytes in hexadecimal",
        "shares": [{"owner_secret": OWNER_SECRET, "connection": CONNECTION, "version": version,
                    "share": share_of(OWNER_SECRET, CONNECTION, version)} for version in (1, 2, 1 << 32)],
        "root_commitments": [{"class": name, "epoch": epoch, "root": root,
                              "commitment": hashlib.sha256(transcript(COMMITMENTS[name], epoch, root)).digest()}
                             for name in CLASSES for epoch, root in ROOTS.items()],
        "sealed": [case for case, _, _ in SEALED],
        "rewrapped": list(rewrapped()),
        "refused": list(refused()),
    }), sys.stdout, indent=1)
    print()
