#!/usr/bin/env python3
"""Known answers for the register of connections: entries, trees, heads with their seals, statements of completion,
destructions, proofs; and what is none of them. Shares no code with the implementation; written from docs/spec/rotation.md.

usage: rotation.py > vectors/rotation.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Keys are fixed and Ed25519 is
deterministic, so every run gives the same file. Numbers of more than 53 bits are written as text.
"""
import hmac
import json
import struct

from encodings_of import broken, indefinite, longer, reordered, unknown, without
from protocol import Ed, P256, cbor, sha256, sign1, transcript
from tree import path, peaks, tree_hash

SEED, BOOT = bytes([0xA5]) * 32, bytes([0xB0]) * 16
# Of each class: the epochs with their roots. The identity of the class's own came after its first epoch was destroyed.
ROOTS = {"any": {2: bytes([2]) * 32, 3: bytes([3]) * 32}, "owner": {1: bytes([0x21]) * 32, 2: bytes([0x22]) * 32}}
CLASSES = ["any", "delayed", "owner"]
COMMITMENT = {"any": "tensfer/root-commitment/v1", "owner": "tensfer/root-commitment/owner/v1"}
KEY = Ed(SEED)
KID = sha256(KEY.public)
T0 = 1_795_305_600_000
REGISTER = sha256(transcript("tensfer/register/v1", BOOT))[:16]
DOMAINS = {"head": "tensfer/register-head/v1", "statement": "tensfer/rotation-completion/v1", "destruction": "tensfer/epoch-destruction/v1"}
STATES = ["held", "rewrapped", "revoked", "moved"]
# What is known of a wallet's words.
BACKUPS = ["unsaid", "missing", "confirmed"]


def hkdf(secret, info):
    prk = hmac.new(bytes(32), secret, "sha256").digest()
    return hmac.new(prk, info + b"\x01", "sha256").digest()


def name(connection):
    return sha256(transcript("tensfer/register-name/v1", connection))


def commitment(kind, epoch):
    return sha256(transcript(COMMITMENT[kind], epoch, ROOTS[kind][epoch]))


def epochs(kind, *held):
    return {0: max(held), 1: min(held), 2: [[epoch, commitment(kind, epoch)] for epoch in held]}


# --- entries ---

def entry(connection, state, epoch, generation, kind="any", backup="unsaid"):
    fields = {"connection": connection.hex(), "name": name(connection).hex(), "state": state, "backup": backup, "class": kind, "epoch": epoch, "generation": str(generation),
              "payload": sha256(b"payload %d of " % generation + connection).hex()}
    encoded = bytes.fromhex(fields["name"]) + bytes([16 * CLASSES.index(kind) + 4 * BACKUPS.index(backup) + STATES.index(state)]) + struct.pack(">IQ", epoch, generation) + bytes.fromhex(fields["payload"])
    assert len(encoded) == 77
    return fields, encoded


def connection(number):
    return sha256(b"connection %d" % number)[:16]


def entries():
    listed = [(number, STATES[number % 4], 1 + number % 3, 1 + number // 2, CLASSES[number // 4 % 3]) for number in range(13)]
    listed += [(0, "held", 3, 2), (3, "rewrapped", 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)]
    return [entry(connection(number), *rest) for number, *rest in listed]


def refused_entries():
    _, good = entry(connection(1), "held", 3, 2)
    at = lambda place, *values: good[:place] + bytes(values) + good[place + len(values):]
    return [
        {"why": "an unknown backup", "encoded": at(32, 0x0C).hex()},
        {"why": "an unknown backup beside a state", "encoded": at(32, 0x0F).hex()},
        {"why": "an unknown class", "encoded": at(32, 0x30).hex()},
        {"why": "the highest class and state", "encoded": at(32, 0xFF).hex()},
        {"why": "epoch 0", "encoded": at(33, 0, 0, 0, 0).hex()},
        {"why": "generation 0", "encoded": at(37, *bytes(8)).hex()},
        {"why": "a byte is missing", "encoded": good[:-1].hex()},
        {"why": "a byte follows", "encoded": (good + b"\x00").hex()},
    ]


# --- what is signed ---

def signed(kind, payload, key=KEY, kid=KID):
    return sign1(key, kid, DOMAINS[kind], payload, True)[0]


def head_members(size, counter, previous, statement=None, beside=0, term=1, group=None, closed_for=None):
    leaves = [encoded for _, encoded in entries()][:size]
    members = {0: 1, 1: REGISTER, 2: 1, 3: counter, 4: size, 5: tree_hash(leaves), 6: 3, 7: BOOT, 8: T0 + counter, 9: previous, 10: statement,
               11: 0, 12: term, 13: sha256(b"a map") if size else bytes(32), 14: 2, 15: sha256(cbor(REACHED[:beside])) if beside else None, 16: group, 17: closed_for}
    return {member: value for member, value in members.items() if value is not None}


# Of the classes beside any, as the identity has them before the first epoch of class owner is destroyed.
PROGRAM = sha256(b"a program")
REACHED = [{0: 1, 1: 3, 2: 7}, {0: 2, 1: 1, 2: 2}, {0: 2, 1: 1, 2: 0xFFFFFFFF, 3: PROGRAM}]


def reached(members):
    """What the head commits to in its member 15: nothing at first, then more and more."""
    return next((REACHED[:number] for number in range(1, 4) if members.get(15) == sha256(cbor(REACHED[:number]))), [])


def refused_reached():
    """Of the list whose hash a head has: what is none."""
    delayed, owner, programs = REACHED
    cases = [
        ("epoch 0", [{**owner, 1: 0}]), ("the oldest is above the current one", [{**owner, 1: 3}]), ("class any", [{**owner, 0: 0}]), ("an unknown class", [{**owner, 0: 3}]),
        ("class delayed of a program", [{**delayed, 3: PROGRAM}]), ("one class twice", [owner, owner]), ("one program twice", [programs, programs]),
        ("another order", [owner, delayed]), ("a program before none", [programs, owner]), ("programs in another order", [{**programs, 3: bytes([0xFF]) * 32}, programs]),
        ("513 of them", [{**owner, 3: number.to_bytes(32, "big")} for number in range(513)]), ("a member that nobody knows", [{**owner, 4: 0}]), ("no class", [{1: 1, 2: 2}]),
    ]
    listed = [{"why": why, "encoded": cbor(members).hex()} for why, members in cases]
    return [*listed, {"why": "m09: a longer form of a number", "encoded": (b"\x81" + longer(owner)).hex()}, {"why": "a byte follows", "encoded": (cbor([owner]) + b"\x00").hex()}]


def head(members):
    payload, beside = cbor(members), reached(members)
    seal = hkdf(ROOTS["any"][3], transcript("tensfer/register-seal/v1", 3, sha256(payload)))
    roots = peaks([encoded for _, encoded in entries()][:members[4]])
    return {
        "register": members[1].hex(), "chapter": members[2], "counter": members[3], "size": members[4], "root": members[5].hex(), "epoch": 3, "boot": BOOT.hex(),
        "time": members[8], "previous": optional(members.get(9)), "statement": optional(members.get(10)), "line": 0, "term": members[12], "map": members[13].hex(),
        "oldest": 2, "group": optional(members.get(16)), "closed_for": optional(members.get(17)), "encoded": payload.hex(), "hash": sha256(payload).hex(), "signed": signed("head", payload).hex(), "seal": seal.hex(),
        "peaks": [peak.hex() for peak in roots], "commitment": optional(members.get(15)),
        "reached": [{"class": CLASSES[one[0]], "oldest": one[1], "current": one[2], "program": optional(one.get(3))} for one in beside],
        "kept": cbor({0: signed("head", payload), 1: seal, 2: roots, **({3: beside} if beside else {})}).hex(),
    }


def heads():
    """Each follows the one before by its hash; one is after a statement of completion. Then witnesses replace the first ones,
    twice: each group is closed, and the next head is before the next."""
    made, previous = [], None
    stated, (second, third) = sha256(b"a statement"), (sha256(b"the second"), sha256(b"the third"))
    earlier = [(0, None, 0), (1, None, 1), (5, None, 2), (15, None, 3), (15, stated, 3)]
    later = [(15, stated, 3, 3, None, second), (15, stated, 3, 2 ** 40 + 1, second), (15, stated, 3, 2 ** 40 + 2, second, third), (15, stated, 3, 2 ** 41 + 1, third)]
    for counter, (size, *members) in enumerate(earlier + later, 1):
        made.append(head(head_members(size, counter, previous, *members)))
        previous = bytes.fromhex(made[-1]["hash"])
    return made


def statement_members(**changes):
    leaves = statement_entries()
    members = {0: 1, 1: REGISTER, 2: 1, 3: 1, 4: 2, 5: 3, 6: tree_hash(leaves), 7: [3, 2, 1, 1], 8: BOOT, 9: T0 + 60_000, 12: 3}
    members.update({int(member[1:]): value for member, value in changes.items()})
    return dict(sorted(members.items()))


def statement_entries():
    """One for each of ten connections, ascending by name. Of class any three held, two re-wrapped, one revoked, one absent;
    of class owner one held, one that moved, one absent."""
    listed = [("held", 3, 1), ("held", 3, 4), ("held", 3, 2), ("rewrapped", 3, 1), ("rewrapped", 3, 7), ("revoked", 1, 1), ("held", 2, 5),
              ("held", 2, 1, "owner"), ("moved", 1, 3, "owner"), ("held", 1, 2, "owner")]
    return sorted(entry(connection(20 + number), *rest)[1] for number, rest in enumerate(listed))


def statement(**changes):
    return stated(statement_members(**changes))


def stated(members):
    payload = cbor(members)
    return {
        "register": members[1].hex(), "chapter": members[2], "counter": members[3], "epoch": members[4], "current": members[5], "root": members[6].hex(),
        "counts": members[7], "boot": BOOT.hex(), "time": members[9], "previous": optional(members.get(10)), "class": CLASSES[members.get(11, 0)], "others": members.get(12, 0),
        "without_backup": members.get(13, 0), "encoded": payload.hex(), "hash": sha256(payload).hex(), "signed": signed("statement", payload).hex(),
    }


def wallets():
    """A log in which some connections are wallets, what counts of each, and the statement: of five that are absent one is a wallet whose words nobody has
    shown to have. Of 31 they were confirmed later, of 36 before a new generation; 34 was re-wrapped, and 35 revoked."""
    log = [entry(connection(number), state, epoch, generation, "any", backup) for number, state, epoch, generation, backup in (
        (30, "held", 2, 1, "missing"), (31, "held", 2, 1, "missing"), (32, "held", 2, 1, "confirmed"), (33, "held", 2, 1, "unsaid"), (34, "held", 2, 1, "missing"),
        (35, "held", 2, 1, "missing"), (36, "held", 2, 1, "confirmed"), (34, "rewrapped", 3, 1, "unsaid"), (31, "held", 2, 1, "confirmed"), (35, "revoked", 2, 1, "unsaid"),
        (36, "held", 2, 2, "missing"))]
    counted = [entry(connection(number), state, epoch, generation, "any", backup) for number, state, epoch, generation, backup in (
        (30, "held", 2, 1, "missing"), (31, "held", 2, 1, "confirmed"), (32, "held", 2, 1, "confirmed"), (33, "held", 2, 1, "unsaid"), (34, "rewrapped", 3, 1, "missing"),
        (35, "revoked", 2, 1, "missing"), (36, "held", 2, 2, "confirmed"))]
    counted.sort(key=lambda each: each[1])
    members = {member: value for member, value in statement_members(_6=tree_hash([encoded for _, encoded in counted]), _7=[0, 1, 1, 5], _13=1).items() if member != 12}
    listed = lambda each: [{**fields, "encoded": encoded.hex()} for fields, encoded in each]
    return {"log": listed(log), "counted": listed(counted), "statement": stated(members)}


def destruction_members(**changes):
    members = {0: 1, 1: 1, 2: 2, 3: 3, 4: BOOT, 5: T0 + 120_000}
    members.update({int(member[1:]): value for member, value in changes.items()})
    return members


def destruction(grounds, **changes):
    members = destruction_members(**({"_6": {0: grounds[0], 1: grounds[1], 2: grounds[2]}} if grounds else {}), **changes)
    payload = cbor(members)
    return {
        "epoch": 1, "oldest": 2, "current": members[3], "boot": BOOT.hex(), "time": members[5], "class": CLASSES[members.get(7, 0)],
        "destroyed": grounds and {"statement": grounds[0].hex(), "absent": grounds[1], "commitment": grounds[2].hex()},
        "encoded": payload.hex(), "signed": signed("destruction", payload).hex(),
    }


def refused_signed(kind, members, contradictions):
    """What is not accepted in the place of a signed structure, with the code of each refusal."""
    payload = cbor(members)
    good = signed(kind, payload)
    other, other_domain = Ed(bytes([0x5A]) * 32), next(domain for known, domain in DOMAINS.items() if known != kind)
    p256 = P256(0x1234567890ABCDEF)
    cases = [
        ("another purpose's domain", sign1(KEY, KID, other_domain, payload, True)[0], "statement_signature"),
        ("a receipt's domain", sign1(KEY, KID, "tensfer/receipt/v1", payload, True)[0], "statement_signature"),
        ("another key under its own name", signed(kind, payload, other, sha256(other.public)), "statement_signature"),
        ("another key under the right name", signed(kind, payload, other), "statement_signature"),
        ("m04: another algorithm", signed(kind, payload, p256), "statement_signature"),
        ("a bit of the signature is turned", good[:-1] + bytes([good[-1] ^ 1]), "statement_signature"),
        ("a bit of the payload is turned", good.replace(payload, payload[:-1] + bytes([payload[-1] ^ 1])), "statement_signature"),
        ("without its payload", sign1(KEY, KID, DOMAINS[kind], payload, False)[0], "statement_malformed"),
        ("another version", signed(kind, cbor({**members, 0: 2})), "statement_malformed"),
        ("another start's", signed(kind, cbor({**members, {"head": 7, "statement": 8, "destruction": 4}[kind]: bytes(16)})), "statement_identity"),
        ("nothing", b"", "statement_malformed"),
    ]
    cases += [(f"around it: {why}", encoded, "statement_malformed") for why, encoded in broken(good)]
    forms = (("m09: a longer form of a number", longer), ("m09: another order", reordered), ("m09: an indefinite length", indefinite),
             ("a member that nobody knows", unknown), ("a member is missing", without))
    cases += [(f"signed: {why}", signed(kind, form(members)), "statement_malformed") for why, form in forms]
    cases.append(("signed: a byte follows", signed(kind, payload + b"\x00"), "statement_malformed"))
    cases += [(f"signed: {why}", signed(kind, cbor(dict(sorted({**members, **change}.items())))), code) for why, change, code in contradictions]
    return [{"of": kind, "why": why, "signed": encoded.hex(), "code": code} for why, encoded, code in cases]


def refused():
    contradicts, identity, malformed = "statement_contradicts_itself", "statement_identity", "statement_malformed"
    return [
        *refused_signed("head", head_members(5, 3, sha256(b"the head before"), sha256(b"a statement")), []),
        *refused_signed("statement", statement_members(), [
            ("its epoch is the current one", {4: 3}, contradicts), ("its epoch is above the current one", {4: 4}, contradicts),
            ("epoch 0", {4: 0}, contradicts), ("counts without a sum", {7: [2 ** 64 - 1, 1, 0, 0]}, contradicts), ("others without a sum", {12: 2 ** 64 - 1}, contradicts),
            ("m09: class any said", {11: 0}, malformed), ("an unknown class", {11: 3}, malformed), ("m09: no others said", {12: 0}, malformed),
            ("m09: no wallets without a backup said", {13: 0}, malformed), ("more wallets without a backup than are absent", {13: 2}, contradicts),
        ]),
        *refused_signed("destruction", destruction_members(), [
            ("a class that the identity has not", {7: 1}, identity), ("m09: class any said", {7: 0}, malformed),
            ("epoch 0", {1: 0}, contradicts), ("an epoch that is held", {1: 2}, identity), ("an epoch above", {1: 3}, identity),
            ("its oldest is the epoch", {2: 1}, contradicts), ("its oldest is above the identity's", {2: 3}, identity),
            ("its current is above the identity's", {3: 4}, identity), ("its current is below its oldest", {3: 1}, contradicts),
        ]),
    ]


# --- proofs ---

def proof(index, leaves, **changes):
    members = {0: 1, 1: leaves[index], 2: index, 3: len(leaves), 4: path(index, leaves)}
    members.update({int(member[1:]): value for member, value in changes.items()})
    return cbor(members)


def refused_proofs(leaves):
    right, other = path(2, leaves), leaves[3]
    turned = [bytes([right[0][0] ^ 1]) + right[0][1:], *right[1:]]
    cases = [
        ("another's entry", proof(2, leaves, _1=other), "proof_path"), ("another place", proof(2, leaves, _2=3), "proof_path"),
        ("beyond the last", proof(2, leaves, _2=10), "proof_path"), ("another size", proof(2, leaves, _3=11), "proof_path"),
        ("the size without those of other classes", proof(2, leaves, _3=7), "proof_path"),
        ("cut short", proof(2, leaves, _4=right[:-1]), "proof_path"), ("one more", proof(2, leaves, _4=right + [right[-1]]), "proof_path"),
        ("another order", proof(2, leaves, _4=right[::-1]), "proof_path"), ("a bit is turned", proof(2, leaves, _4=turned), "proof_path"),
        ("another version", proof(2, leaves, _0=2), "statement_malformed"), ("an entry of 76 bytes", proof(2, leaves, _1=other[:-1]), "statement_malformed"),
        ("an entry of no known state", proof(2, leaves, _1=other[:32] + b"\x0f" + other[33:]), "statement_malformed"),
    ]
    return [{"why": why, "encoded": encoded.hex(), "code": code} for why, encoded, code in cases]


def frames(leaves, done):
    """What a host and an enclave say to one another while a rotation is concluded and an epoch destroyed."""
    steps = [cbor([0, [2]]), cbor([0, [1, 2]]), cbor([1, [leaves[0] + leaves[1]]]), cbor([2, [struct.pack(">Q", 1) + leaves[1]]]), cbor([3, []])]
    destruction_of_one = bytes.fromhex(destruction(None)["signed"])
    return {
        "conclude": [step.hex() for step in steps],
        "concluded": [cbor({0: 2}).hex(), cbor({0: 7, 1: bytes.fromhex(done["signed"])}).hex()],
        "destroy": [cbor({0: 1, 1: 1}).hex(), cbor({0: 1, 1: 1, 2: 2}).hex()], "destroyed": cbor({0: True, 1: destruction_of_one}).hex(),
        "published": cbor({0: 1, 1: bytes.fromhex(done["signed"]), 2: sha256(b"a nonce"), 3: b"evidence", 4: T0}).hex(),
    }


def optional(value):
    return value and value.hex()


def main():
    leaves, done = [encoded for _, encoded in entries()], statement()
    of_owner = statement(_2=2, _3=2, _4=1, _5=2, _7=[2, 0, 0, 1], _9=T0 + 90_000, _10=bytes.fromhex(done["hash"]), _11=2, _12=7)
    of_statement = statement_entries()
    identity = cbor({
        0: 1, 1: [{0: 7, 1: [0x647A, 1, 2], 2: bytes([0x77]) * 1216, 3: T0 + 3_600_000}], 2: KEY.public, 3: BOOT,
        4: epochs("any", 2, 3), 6: bytes([6]) * 32, 7: [], 8: 0, 9: [0, []],
        11: {0: "0.1.0", 1: "unknown"}, 12: T0, 13: T0 + 3_600_000, 15: [{0: 2, 1: epochs("owner", 2)}],
    })
    print(json.dumps({
        "about": "made by vectors/make/rotation.py; bytes in hexadecimal",
        "signer": {"seed": SEED.hex(), "identity": identity.hex(), "roots": [[kind, epoch, root.hex(), commitment(kind, epoch).hex()] for kind, held in ROOTS.items() for epoch, root in held.items()]},
        "founded": {"boot": BOOT.hex(), "register": REGISTER.hex()},
        "entries": [{**fields, "encoded": encoded.hex()} for fields, encoded in entries()],
        "refused_entries": refused_entries(),
        "logs": [{"size": size, "root": tree_hash(leaves[:size]).hex(), "peaks": [peak.hex() for peak in peaks(leaves[:size])]} for size in range(len(leaves) + 1)],
        "heads": heads(),
        "refused_reached": refused_reached(),
        "statements": [done, of_owner],
        "wallets": wallets(),
        "destructions": [destruction((bytes.fromhex(done["hash"]), 1, sha256(b"the commitment of epoch 1"))), destruction(None),
                         destruction((bytes.fromhex(of_owner["hash"]), 1, commitment("owner", 1)), _3=2, _7=2)],
        "frames": frames(leaves, done),
        "refused": refused(),
        "proofs": [{"index": index, "entry": leaf.hex(), "encoded": proof(index, of_statement).hex()} for index, leaf in enumerate(of_statement)],
        "refused_proofs": refused_proofs(of_statement),
    }, indent=1))


if __name__ == "__main__":
    main()
