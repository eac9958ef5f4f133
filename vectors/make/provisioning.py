#!/usr/bin/env python3
"""Known answers for provisioning: shares of a root, commitments, a manifest with an approval, report data. Shares no code with the
implementation; written from docs/spec/provisioning.md.

usage: provisioning.py > vectors/provisioning.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Everything is fixed, so every run gives
the same file. GF(2^8) by tables of logarithms here, by shifts there.
"""
import hashlib
import itertools
import json

from protocol import Ed, P256, cbor, sha256, sign1, transcript

# Generator 3 of the multiplicative group (FIPS 197's field).
EXP, LOG = [0] * 255, [0] * 256
value = 1
for power in range(255):
    EXP[power], LOG[value] = value, power
    value ^= value << 1
    if value & 0x100:
        value ^= 0x11B


def mul(a, b):
    return EXP[(LOG[a] + LOG[b]) % 255] if a and b else 0


def div(a, b):
    return EXP[(LOG[a] - LOG[b]) % 255] if a else 0


def stream(label, length):
    out, counter = b"", 0
    while len(out) < length:
        out += sha256(label.encode() + bytes([counter]))
        counter += 1
    return out[:length]


def evaluate(polynomial, x):
    """Byte by byte; coefficients from the constant one up, powers of x by multiplication."""
    result = bytearray(32)
    power = 1
    for coefficient in polynomial:
        for at in range(32):
            result[at] ^= mul(coefficient[at], power)
        power = mul(power, x)
    return bytes(result)


def interpolate(shares):
    result = bytearray(32)
    for x, share in shares:
        weight = 1
        for other, _ in shares:
            if other != x:
                weight = mul(weight, div(other, other ^ x))
        for at in range(32):
            result[at] ^= mul(share[at], weight)
    return bytes(result)


def split_case(threshold, count):
    secret = stream(f"secret {threshold} {count}", 32)
    random = stream(f"random {threshold} {count}", 32 * (threshold - 1))
    polynomial = [secret] + [random[at:at + 32] for at in range(0, len(random), 32)]
    shares = [evaluate(polynomial, x) for x in range(1, count + 1)]
    for chosen in itertools.islice(itertools.combinations(list(enumerate(shares, 1)), threshold), 50):
        assert interpolate(chosen) == secret
    return {"threshold": threshold, "count": count, "secret": secret.hex(), "coefficients": random.hex(), "shares": [share.hex() for share in shares]}


def combined_case(numbers):
    shares = [(x, stream(f"share {x}", 32)) for x in numbers]
    return {"shares": [[x, share.hex()] for x, share in shares], "yields": interpolate(shares).hex()}


def report_data(domain, nonce, document):
    return hashlib.sha512(transcript(domain, nonce, hashlib.sha512(document).digest())).digest()


def witnesses(threshold, *seeds):
    return {0: threshold, 1: [{0: f"w{seed}", 1: {0: 0, 1: Ed(bytes([seed]) * 32).public}} for seed in seeds]}


def manifest(roots, first=None, notices=None, named=None, replaced=None):
    signers = [("ada", Ed(bytes([1]) * 32)), ("ben", P256(0x0123456789ABCDEF)), ("cyd", Ed(bytes([3]) * 32))]
    return signers, cbor({
        0: 1, 1: "example", 2: 1 + sum(root[1] for root in roots), 3: 0,
        4: {0: 2, 1: [{0: alias, 1: {0: key.index, 1: key.public}} for alias, key in signers]},
        5: {0: 2, 1: [{0: alias, 1: bytes([number]) * 1216} for number, alias in enumerate(("dot", "eve", "fay"), 1)]},
        6: [{0: 1, 1: [["PCR0", bytes([0xA0]) * 48], ["PCR1", bytes([0xA1]) * 48]]}, {0: 2, 1: [["MEASUREMENT", bytes([0xB0]) * 48]]}],
        7: "0.1.0", 8: named or witnesses(0), 9: ["any"], 10: 1_795_305_600_000, 11: 1_826_841_600_000, 12: roots, **({16: first} if first else {}), **({17: notices} if notices is not None else {}),
        **({18: replaced} if replaced is not None else {}),
    })


def approved(*members):
    signers, encoded = manifest(*members)
    name = sha256(transcript("tensfer/manifest/v1", encoded))
    approvals = []
    for alias, key in signers:
        kid = sha256(transcript("tensfer/manifest-key/v1", cbor({0: key.index, 1: key.public})))
        approvals.append({"alias": alias, "kid": kid.hex(), "approval": sign1(key, kid, "tensfer/manifest-approval/v1", name, False)[0].hex()})
    return {"encoded": encoded.hex(), "hash": name.hex(), "approvals": approvals}


def main():
    root = stream("root", 32)
    shares = [stream(f"holder {number}", 32) for number in (1, 2, 3)]
    commitment = sha256(transcript("tensfer/root-commitment/v1", 1, root))
    receipts = [sha256(transcript("tensfer/root-share/receipt/v1", b"any", 1, number, share)) for number, share in enumerate(shares, 1)]
    share_commitments = [sha256(transcript("tensfer/root-share/commitment/v1", b"any", 1, number, receipt)) for number, receipt in enumerate(receipts, 1)]

    def root_of(epoch):
        return {0: "any", 1: epoch, 2: commitment if epoch == 1 else sha256(b"epoch %d" % epoch), 3: share_commitments}

    def notice(kind="any", epoch=1, absent=2 ** 32, hours=168):
        return [kind, epoch, sha256(b"a statement"), absent, hours]

    nonce, document, name = bytes(range(32)), b"a document", bytes([0x77]) * 32
    print(json.dumps({
        "shamir": [split_case(*case) for case in ((1, 1), (1, 3), (2, 2), (2, 3), (3, 5), (5, 9), (8, 16), (16, 16))],
        "combined": [combined_case(numbers) for numbers in ((1,), (255, 1), (7, 3, 200), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))],
        "commitments": {"class": "any", "epoch": 1, "root": root.hex(), "commitment": commitment.hex(),
                        "shares": [[part.hex() for part in parts] for parts in zip(shares, receipts, share_commitments)]},
        "manifests": [approved([]), approved([root_of(1)]), approved([root_of(2)], commitment),
                      approved([root_of(1), root_of(2)], None, [notice()]),
                      approved([root_of(1)], None, None, witnesses(2, 21, 22, 24), {0: 1, 1: witnesses(2, 21, 22, 23)})],
        "refused": [{"why": why, "fault": "FirstRoot", "encoded": manifest(roots, first)[1].hex()} for why, roots, first in (
            ("the first root is over, and nothing says what it was", [root_of(2)], None),
            ("the first root is there, and named beside", [root_of(1), root_of(2)], commitment),
            ("there is no root yet, and a first one is named", [], commitment))] + [
            {"why": why, "fault": "Notices", "encoded": manifest(roots, None, notices)[1].hex()} for why, roots, notices in (
                ("m09: no notice said", [root_of(1), root_of(2)], []), ("two of a class", [root_of(1), root_of(2)], [notice(), notice()]),
                ("an unknown class", [root_of(1), root_of(2)], [notice(kind="all")]), ("a class that the manifest has not", [root_of(1), root_of(2)], [notice(kind="owner")]),
                ("the epoch that is sealed under", [root_of(1), root_of(2)], [notice(epoch=2)]), ("an epoch that is not there", [root_of(1), root_of(2)], [notice(epoch=3)]),
                ("epoch 0", [root_of(1), root_of(2)], [notice(epoch=0)]), ("the only epoch", [root_of(1)], [notice()]),
                ("of nobody", [root_of(1), root_of(2)], [notice(absent=0)]), ("less than a week", [root_of(1), root_of(2)], [notice(hours=167)]),
                ("more than 90 days", [root_of(1), root_of(2)], [notice(hours=2161)]))] + [
            {"why": why, "fault": fault, "encoded": manifest(roots, None, None, named, {0: generation, 1: former})[1].hex()} for why, fault, roots, named, generation, former in (
                ("the 0th replacement", "Replaced", [root_of(1)], witnesses(1, 22), 0, witnesses(1, 21)),
                ("by themselves", "Replaced", [root_of(1)], witnesses(1, 21), 1, witnesses(1, 21)),
                ("by nobody", "Replaced", [root_of(1)], witnesses(0), 1, witnesses(1, 21)),
                ("nobody is replaced", "Threshold", [root_of(1)], witnesses(1, 22), 1, witnesses(0)),
                ("no majority was", "Threshold", [root_of(1)], witnesses(1, 22), 1, witnesses(1, 21, 23)),
                ("of a deployment without roots", "Replaced", [], witnesses(1, 22), 1, witnesses(1, 21)))],
        "info": {"name": name.hex(), "number": 2, "held": transcript("tensfer/root-share/held/v1", name, 2).hex(),
                 "released": transcript("tensfer/root-share/released/v1", name, 2).hex(),
                 "handover": transcript("tensfer/root-handover/v1", name).hex()},
        "report_data": {"nonce": nonce.hex(), "document": document.hex(),
                        "setup": report_data("tensfer/setup-evidence/v1", nonce, document).hex(),
                        "handover": report_data("tensfer/handover-evidence/v1", nonce, document).hex(),
                        "genesis": report_data("tensfer/genesis-evidence/v1", nonce, document).hex()},
    }, indent=1))


if __name__ == "__main__":
    main()
