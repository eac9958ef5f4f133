#!/usr/bin/env python3
"""Known answers for the binding of evidence: RFC 6962 trees over nonces, inclusion proofs, report data.

usage: binding.py > vectors/evidence/binding.json      (Python standard library only)

Written from RFC 6962 section 2.1 and docs/spec/evidence.md section 2; shares no code with the implementation.
"""
import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


def split(count):
    """The largest power of two smaller than count."""
    return 1 << (count - 1).bit_length() - 1


def tree_hash(nonces):
    if len(nonces) == 1:
        return sha256(b"\x00" + nonces[0])
    k = split(len(nonces))
    return sha256(b"\x01" + tree_hash(nonces[:k]) + tree_hash(nonces[k:]))


def path(index, nonces):
    if len(nonces) == 1:
        return []
    k = split(len(nonces))
    if index < k:
        return path(index, nonces[:k]) + [tree_hash(nonces[k:])]
    return path(index - k, nonces[k:]) + [tree_hash(nonces[:k])]


def lp(data):
    return len(data).to_bytes(4, "big") + data


def report_data(root, identity):
    return hashlib.sha512(lp(b"tensfer/evidence/v1") + lp(root) + lp(hashlib.sha512(identity).digest())).digest()


cases = []
for size in (1, 2, 3, 5, 8, 13, 64, 100):
    nonces = [sha256(b"nonce %d of %d" % (at, size)) for at in range(size)]
    root = tree_hash(nonces)
    identity = b"identity document of %d" % size * size
    for index in sorted({0, size // 2, size - 1}):
        cases.append({
            "nonce": nonces[index].hex(), "index": index, "size": size,
            "path": [node.hex() for node in path(index, nonces)],
            "root": root.hex(), "identity": identity.hex(), "report_data": report_data(root, identity).hex(),
        })
json.dump({"source": "vectors/make/binding.py", "cases": cases}, sys.stdout, indent=1)
print()
