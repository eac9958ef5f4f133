#!/usr/bin/env python3
"""Known answers for releases: canonical bytes, hash, signatures. Shares no code with the implementation; written from
docs/spec/release.md.

usage: release.py > vectors/release.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Everything is fixed, so every run gives
the same file.
"""
import json

from protocol import Ed, P256, cbor, sha256, sign1, transcript

PUBLISHERS = [("ada", Ed(bytes([1]) * 32)), ("ben", P256(0x0123456789ABCDEF)), ("cyd", Ed(bytes([3]) * 32))]


def program(environment, tee, *registers):
    return {0: environment, 1: {0: tee, 1: [[name, bytes([fill]) * 48] for name, fill in registers]}}


def release(programs, minimum_tcb):
    return cbor({
        0: 1, 1: "example", 2: {0: "0.3.0", 1: "c0" * 20}, 3: bytes([5]) * 32, 4: 1_795_305_600_000, 5: 1_826_841_600_000,
        6: programs, 7: minimum_tcb,
    })


def signed(encoded):
    name = sha256(transcript("tensfer/release/v1", encoded))
    signatures = []
    for alias, key in PUBLISHERS:
        kid = sha256(transcript("tensfer/release-key/v1", cbor({0: key.index, 1: key.public})))
        signatures.append({"alias": alias, "algorithm": key.index, "public": key.public.hex(), "kid": kid.hex(),
                           "signature": sign1(key, kid, "tensfer/release-signature/v1", name, False)[0].hex()})
    return {"encoded": encoded.hex(), "hash": name.hex(), "signatures": signatures}


def main():
    nitro = program(0, 1, ("PCR0", 1), ("PCR1", 2), ("PCR2", 3))
    print(json.dumps({"releases": [
        signed(release([nitro], {})),
        signed(release([nitro, program(0, 2, ("MEASUREMENT", 0x11)), program(1, 3, ("MRTD", 0x11), ("RTMR0", 0x12))],
                       {0: [0, 4, 0, 24, 217], 1: 17})),
    ]}, indent=1))


if __name__ == "__main__":
    main()
