#!/usr/bin/env python3
"""Known answers for the share of a connection. Shares no code with the implementation; standard library only.

usage: share.py > vectors/sealing/share.json

share = HKDF-SHA256(salt = empty, IKM = owner secret, info, 32), with
info = lp("tensfer/share/v1") | lp(connection id, 16 bytes) | lp(version, 8 bytes big-endian), lp(x) = u32be(len x) | x.
"""
import hashlib
import hmac
import json
import sys


def lp(field):
    return len(field).to_bytes(4, "big") + field


def share(secret, connection, version):
    prk = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    info = lp(b"tensfer/share/v1") + lp(connection) + lp(version.to_bytes(8, "big"))
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


secrets = [bytes(range(32)), bytes([255] * 32)]
connections = [bytes(16), bytes(range(16, 32))]
json.dump({
    "cases": [
        {"secret": s.hex(), "connection": c.hex(), "version": str(v), "share": share(s, c, v).hex()}
        for s in secrets for c in connections for v in (1, 2, 2**64 - 1)
    ],
}, sys.stdout, indent=1)
print()
