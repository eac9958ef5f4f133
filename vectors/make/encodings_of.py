"""Other encodings of what has one: each is to be refused (RFC 8949 section 4.2.1). For vectors only."""
from protocol import cbor


def pairs(members, order=None):
    keys = order or list(members)
    return b"".join(cbor(key) + cbor(members[key]) for key in keys)


def longer(members):
    """The first key in two bytes instead of one."""
    assert len(members) < 24 and next(iter(members)) == 0
    return bytes([0xA0 | len(members)]) + b"\x18" + pairs(members)


def reordered(members):
    keys = list(members)
    return bytes([0xA0 | len(members)]) + pairs(members, [keys[1], keys[0], *keys[2:]])


def indefinite(members):
    return b"\xbf" + pairs(members) + b"\xff"


def unknown(members):
    return cbor({**members, 99: 0})


def without(members):
    """Without the first member, which every structure has."""
    return cbor({key: value for key, value in members.items() if key != 0})


def broken(encoded):
    """Of a COSE_Sign1, which is an array of four."""
    assert encoded[:4] == b"\x84\x58\x26\xa2" and encoded[41] == 0xA0
    return [
        ("a byte follows", encoded + b"\x00"), ("its last byte is missing", encoded[:-1]),
        ("m09: an indefinite length", b"\x9f" + encoded[1:] + b"\xff"), ("m09: a longer form of its length", b"\x98\x04" + encoded[1:]),
        ("a tag", b"\xd2" + encoded), ("an unprotected header", encoded[:41] + b"\xa1\x04\x40" + encoded[42:]),
    ]
