#!/usr/bin/env python3
"""Known answers for freshness: states, the map with its proofs, names of deployments, what is asked of witnesses and what
they answer, and the rules by which they do. Shares no code with the implementation; written from
docs/spec/{freshness,witnesses}.md.

usage: freshness.py > vectors/freshness.json

Only the Python standard library and PyPI `cryptography` (vectors/make/requirements.txt). Keys are fixed, Ed25519 is
deterministic and ES256 signs by RFC 6979, so every run gives the same file. Numbers are written as text where they can have
more than 53 bits.
"""
import json

from encodings_of import broken, indefinite, longer, reordered, unknown, without
from protocol import Ed, P256, cbor, sha256, sign1, transcript
from tree import map_hash, map_proof

DEPLOYMENT, BOOT, OTHER_BOOT, NONCE, HEAD = (bytes([fill]) * size for fill, size in ((0xD0, 32), (0xB0, 16), (0xB1, 16), (0x0E, 32), (0x4E, 32)))
DOMAIN = "tensfer/witness/v1"
KEYS = [Ed(bytes([1]) * 32), P256(0x0123456789ABCDEF), Ed(bytes([3]) * 32)]
STRANGER = Ed(bytes([9]) * 32)
WHY = ["term_taken", "term_leaps", "not_promised", "counter_used", "full"]
LEAP = 1 << 20


def some(members):
    return {key: value for key, value in members.items() if value is not None}


def optional(value):
    return value and value.hex()


def public(key):
    return {0: key.index, 1: key.public}


def key_name(key):
    return sha256(transcript("tensfer/manifest-key/v1", cbor(public(key))))


# --- states ---

def state(current, pending, counter, last, over):
    members = some({0: current, 1: pending, 2: counter, 3: last, 4: over})
    return {"current": str(current), "pending": pending and str(pending), "counter": str(counter), "last": optional(last), "over": over,
            "encoded": cbor(members).hex()}, members


def states():
    largest = 2 ** 64 - 1
    return [state(1, None, 0, None, False), state(2, 4, 7, sha256(b"a receipt"), False), state(largest - 1, largest, largest, bytes([0xFF]) * 32, True)]


def refused_states():
    members = states()[1][1]
    forms = (("m09: a longer form of a number", longer), ("m09: another order", reordered), ("m09: an indefinite length", indefinite),
             ("a member that nobody knows", unknown), ("a member is missing", without))
    malformed = [{"why": why, "encoded": form(members).hex()} for why, form in forms]
    malformed.append({"why": "a byte follows", "encoded": (cbor(members) + b"\x00").hex()})
    incoherent = [("generation 0", {0: 0}), ("pending is in use", {1: 2}), ("pending is below", {1: 1}), ("a receipt of none", {2: 0}),
                  ("no receipt of seven", {3: None})]
    return malformed, [{"why": why, "encoded": cbor(some({**members, **change})).hex()} for why, change in incoherent]


# --- the map ---

def name(*bits):
    """All ones or zeros, but for these bits: names that part late are as good as any."""
    return sum(1 << (255 - bit) for bit in bits).to_bytes(32, "big")


def encoded_state(number):
    return cbor({0: number, 2: 0, 4: False})


def leaf(item):
    return item and [item[0], item[1]]


def proof_of(leaves, wanted):
    siblings, item = map_proof(leaves, wanted)
    return some({0: siblings, 1: leaf(item)})


def shown(leaves, wanted):
    return {"name": wanted.hex(), "state": optional(leaves.get(wanted)), "encoded": cbor(proof_of(leaves, wanted)).hex()}


def maps():
    hashed = {sha256(b"name %d" % number): encoded_state(number + 1) for number in range(12)}
    late = {name(): encoded_state(1), name(255): encoded_state(2), name(0): encoded_state(3), name(0, 8): encoded_state(4)}
    cases = [({}, [name(), name(7)]), ({name(3): encoded_state(9)}, [name(3), name(4), name()]), (late, [*late, name(254), name(1)]),
             (hashed, [*hashed, sha256(b"nobody"), sha256(b"another")])]
    return [{"leaves": [[one.hex(), kept.hex()] for one, kept in leaves.items()], "root": map_hash(leaves).hex(),
             "shown": [shown(leaves, wanted) for wanted in names], "changes": changes(leaves, names)} for leaves, names in cases]


def changes(leaves, names):
    """New states of these names, one after another, and the root after each."""
    leaves, made = dict(leaves), []
    for number, changed in enumerate(names[:6]):
        leaves[changed] = encoded_state(100 + number)
        made.append({"name": changed.hex(), "state": leaves[changed].hex(), "root": map_hash(leaves).hex()})
    return made


def refused_proofs():
    """Of the map of late names: what does not show the state of one of them."""
    leaves = {name(): encoded_state(1), name(255): encoded_state(2), name(0): encoded_state(3)}
    wanted = name(255)
    siblings, item = map_proof(leaves, wanted)
    turned = [bytes([siblings[-1][0] ^ 1]) + siblings[-1][1:]]
    newer = {**leaves, wanted: encoded_state(5)}
    cases = [
        ("another state", some({0: siblings, 1: [wanted, encoded_state(5)]})), ("no leaf", {0: siblings}), ("another's leaf", {0: siblings, 1: [name(), leaves[name()]]}),
        ("a leaf that is not below the path", {0: siblings, 1: [name(0), leaves[name(0)]]}), ("cut short", some({0: siblings[:-1], 1: leaf(item)})),
        ("a bit is turned", some({0: siblings[:-1] + turned, 1: leaf(item)})), ("one more sibling", some({0: siblings + [bytes(32)], 1: leaf(item)})),
        ("of a later map", proof_of(newer, wanted)), ("of nothing", {0: []}),
    ]
    long = {wanted: bytes(641)}
    listed = [(why, leaves, members) for why, members in cases] + [("a state of 641 bytes", long, proof_of(long, wanted))]
    return [{"why": why, "root": map_hash(of).hex(), "name": wanted.hex(), "encoded": cbor(members).hex()} for why, of, members in listed]


# --- witnesses ---

def take(term=7, nonce=NONCE, **changes):
    return {0: DEPLOYMENT, 1: 0, 2: term, 3: BOOT, 4: nonce, **{int(key[1:]): value for key, value in changes.items()}}


def advance(counter=4, head=HEAD, **changes):
    return {0: DEPLOYMENT, 1: 0, 2: 7, 3: BOOT, 4: counter, 5: head, **{int(key[1:]): value for key, value in changes.items()}}


def accepted(term, counter, head):
    return {0: term, 1: counter, 2: head}


def told(members):
    """An asked or accepted structure in plain values."""
    return [value.hex() if isinstance(value, bytes) else str(value) for value in members.values()]


def asked():
    largest = 2 ** 64 - 1
    takes = [take(), take(1), take(largest, _1=63, _0=bytes(32))]
    advances = [advance(), advance(1, _2=1), advance(largest, _1=63, _2=largest)]
    forms = (longer, reordered, indefinite, unknown, without)
    of_no_form = [("take", cbor(members)) for members in (take(0), take(_1=64))]
    of_no_form += [("advance", cbor(members)) for members in (advance(0), advance(_2=0), advance(_1=64))]
    malformed = [("take", form(take())) for form in forms] + [("advance", form(advance())) for form in forms]
    malformed += [("take", cbor(take(_3=bytes(15)))), ("take", cbor(take()) + b"\x00"), ("advance", cbor(advance(_5=bytes(31)))), ("advance", cbor(advance()) + b"\x00"),
                  ("take", cbor(advance())), ("advance", cbor(take()))]
    return {
        "takes": [{"values": told(members), "encoded": cbor(members).hex()} for members in takes],
        "advances": [{"values": told(members), "encoded": cbor(members).hex()} for members in advances],
        "of_no_form": [[kind, encoded.hex()] for kind, encoded in of_no_form],
        "malformed": [[kind, encoded.hex()] for kind, encoded in malformed],
    }


def promise(asked_for, known):
    return [0, [some({0: asked_for, 1: known})]]


def cosignature(asked_for):
    return [1, [asked_for]]


def refusal(asked_for, why, promised, known):
    return [2, [some({**{member: asked_for[member] for member in range(4)}, 4: WHY.index(why), 5: promised, 6: known})]]


def answer_of(key, answer, domain=DOMAIN, kid=None):
    return sign1(key, kid or key_name(key), domain, cbor(answer), True)[0]


def answers():
    known = accepted(5, 3, sha256(b"an earlier head"))
    cases = [(0, "promise", promise(take(), None)), (1, "promise", promise(take(), known)), (2, "promise", promise(take(), accepted(6, 1, HEAD))),
             (0, "cosignature", cosignature(advance())), (1, "cosignature", cosignature(advance())), (2, "refused_take", refusal(take(), "term_taken", 9, known)),
             (1, "refused_take", refusal(take(), "full", 0, None)), (0, "refused_take", refusal(take(), "term_leaps", 1, None)),
             (2, "refused_advance", refusal(advance(), "not_promised", 9, known)), (0, "refused_advance", refusal(advance(), "counter_used", 7, accepted(7, 4, sha256(b"x"))))]
    return [{"member": member, "says": says, "payload": cbor(answer).hex(), "signed": answer_of(KEYS[member], answer).hex()} for member, says, answer in cases]


def uncounted():
    """What counts nothing as an answer to `take()` and `advance()`, and why."""
    good, key = promise(take(), None), KEYS[0]
    cases = [
        ("by a stranger", answer_of(STRANGER, good), "unknown_key"), ("by a stranger under a member's name", answer_of(STRANGER, good, kid=key_name(key)), "signature"),
        ("m04: under another algorithm", answer_of(KEYS[1], good, kid=key_name(key)), "unknown_key"), ("a receipt's domain", answer_of(key, good, "tensfer/receipt/v1"), "signature"),
        ("a manifest's approval", answer_of(key, good, "tensfer/manifest-approval/v1"), "signature"),
        ("under the key's name for requests", answer_of(key, good, kid=sha256(key.public)), "unknown_key"),
        ("without its payload", sign1(key, key_name(key), DOMAIN, cbor(good), False)[0], "malformed"),
        ("a byte follows what is signed", sign1(key, key_name(key), DOMAIN, cbor(good) + b"\x00", True)[0], "malformed"),
        ("m09: signed in another order", sign1(key, key_name(key), DOMAIN, b"\x82\x00\x81\xa1\x00" + reordered(take()), True)[0], "malformed"),
        ("an answer of no kind", answer_of(key, [3, [take()]]), "malformed"), ("longer than any answer", answer_of(key, [0, [{0: take(), 1: bytes(512)}]]), "malformed"),
    ]
    cases += [(f"around it: {why}", encoded, "malformed") for why, encoded in broken(answer_of(key, good))]
    others = [promise(take(8), None), promise(take(nonce=bytes(32)), None), promise(take(_0=bytes(32)), None), promise(take(_1=1), None), promise(take(_3=OTHER_BOOT), None),
              cosignature(advance(5)), cosignature(advance(head=bytes(32))), cosignature(advance(_2=8)), cosignature(advance(_3=OTHER_BOOT)),
              refusal(take(8), "term_taken", 9, None), refusal(take(_3=OTHER_BOOT), "term_taken", 9, None)]
    cases += [("of another question", answer_of(key, other), "other_question") for other in others]
    return [{"why": why, "signed": signed.hex(), "uncounted": code} for why, signed, code in cases]


class Witness:
    """docs/spec/witnesses.md §4, for this file alone."""

    def __init__(self):
        self.lines = {}

    def take(self, asked_for):
        promised, _, known = self.lines.get((asked_for[0], asked_for[1]), (0, None, None))
        if asked_for[2] <= promised:
            return refusal(asked_for, "term_taken", promised, known)
        if asked_for[2] > promised + LEAP:
            return refusal(asked_for, "term_leaps", promised, known)
        self.lines[asked_for[0], asked_for[1]] = (asked_for[2], asked_for[3], known)
        return promise(asked_for, known)

    def advance(self, asked_for):
        promised, boot, known = self.lines.get((asked_for[0], asked_for[1]), (0, None, None))
        if (promised, boot) != (asked_for[2], asked_for[3]):
            return refusal(asked_for, "not_promised", promised, known)
        new = accepted(asked_for[2], asked_for[4], asked_for[5])
        if known and known[0] == new[0] and known != new and new[1] <= known[1]:
            return refusal(asked_for, "counter_used", promised, known)
        self.lines[asked_for[0], asked_for[1]] = (promised, boot, new)
        return cosignature(asked_for)

    def memory(self, key):
        lines = [some({0: deployment, 1: line, 2: term, 3: boot, 4: known}) for (deployment, line), (term, boot, known) in sorted(self.lines.items())]
        return cbor({0: 1, 1: key_name(key), 2: lines})


def rules():
    """A witness from its first day on: what it is asked, what it says, what it remembers then."""
    witness, steps = Witness(), []
    other = {"_0": bytes([0xD1]) * 32}
    script = [advance(1), take(LEAP + 1), take(7), take(7), take(6), advance(4), advance(4), advance(4, bytes(32)), advance(3), advance(9), advance(10, _3=OTHER_BOOT),
              advance(10, _2=6), take(9, _3=OTHER_BOOT), advance(11), advance(2, _2=9, _3=OTHER_BOOT), advance(1, _2=9, _3=OTHER_BOOT), take(1, _1=3), take(1, **other), take(10)]
    for asked_for in script:
        is_take = len(asked_for) == 5
        said = witness.take(asked_for) if is_take else witness.advance(asked_for)
        steps.append({"take" if is_take else "advance": cbor(asked_for).hex(), "says": cbor(said).hex(), "memory": witness.memory(KEYS[0]).hex()})
    return {"key": key_name(KEYS[0]).hex(), "steps": steps}


def quorums():
    """Which head promises of two of three lead to; `null` where they contradict each other."""
    low, high, fork = accepted(5, 9, bytes([1]) * 32), accepted(6, 1, bytes([2]) * 32), accepted(6, 1, bytes([3]) * 32)
    cases = [([None], "waits"), ([None, None], "none"), ([low, None], low), ([low, high], high), ([high, low], high), ([high, high], high), ([high, fork], "disagree")]
    return [{"promises": [answer_of(key, promise(take(), known)).hex() for key, known in zip(KEYS, heads)],
             "comes_to": told(result) if isinstance(result, dict) else result} for heads, result in cases]


# --- names, marks, frames ---

def signers():
    return {0: 2, 1: [{0: f"w{number}", 1: public(key)} for number, key in enumerate(KEYS, 1)]}


def frames():
    two = maps_of_two()
    kept = bytes([0x6B]) * 40
    return {
        "lookup": cbor({0: 0, 1: list(two)}).hex(), "found": cbor({0: [proof_of(two, wanted) for wanted in two]}).hex(),
        "taken": cbor({0: 0, 1: 7, 2: [answer_of(KEYS[0], promise(take(), None))], 3: kept, 4: [b"a head", b"the one before"]}).hex(),
        "commit": cbor({0: cbor(advance()), 1: 1, 2: 3, 3: bytes(77), 4: [leaf(item) for item in two.items()], 5: kept}).hex(),
        "committed": cbor({0: 0, 1: 7, 2: 4, 3: [answer_of(key, cosignature(advance())) for key in KEYS[:2]]}).hex(),
        "mark": cbor({0: 0, 1: 7, 2: 4, 3: HEAD}).hex(),
        "witnessed": cbor({0: DEPLOYMENT, 1: signers()}).hex(),
        "witnessed_later": cbor({0: DEPLOYMENT, 1: signers(), 2: {0: 65535, 1: {0: 1, 1: [{0: "old", 1: public(STRANGER)}]}}}).hex(),
        "freshness": cbor({0: DEPLOYMENT, 1: 1, 2: 2, 3: 3, 4: sha256(cbor(signers()))}).hex(),
    }


def maps_of_two():
    return {name(0): encoded_state(1), name(1): encoded_state(2)}


def deployments():
    root = sha256(b"the first root")
    return [
        {"of": "simulation", "witnesses": cbor(signers()).hex(), "deployment": sha256(transcript("tensfer/deployment/v1", cbor(signers()))).hex()},
        {"of": "manifest", "name": "example", "commitment": root.hex(), "deployment": sha256(transcript("tensfer/deployment/v1", b"example", root)).hex()},
    ]


def groups():
    """Witnesses who replaced others, and what they are asked for."""
    keys = sha256(cbor(signers()))
    return [{"generation": generation, "deployment": DEPLOYMENT.hex(), "signers": cbor(signers()).hex(),
             "name": sha256(transcript("tensfer/witnesses/v1", DEPLOYMENT, generation, keys)).hex()} for generation in (1, 2, 65535)]


def terms():
    """What heads call a term: the generation above forty bits."""
    return [{"generation": generation, "promised": str(promised), "term": str(generation * 2 ** 40 + promised) if promised < 2 ** 40 else None}
            for generation, promised in ((0, 1), (0, 2 ** 40 - 1), (0, 2 ** 40), (1, 1), (1, 2 ** 40 - 1), (1, 2 ** 64 - 1), (65535, 2 ** 40 - 1))]


def main():
    malformed, incoherent = refused_states()
    print(json.dumps({
        "about": "made by vectors/make/freshness.py; bytes in hexadecimal",
        "states": [plain for plain, _ in states()], "malformed_states": malformed, "incoherent_states": incoherent,
        "maps": maps(), "refused_proofs": refused_proofs(),
        "deployments": deployments(), "groups": groups(), "terms": terms(),
        "witnesses": {"signers": cbor(signers()).hex(), "names": [key_name(key).hex() for key in KEYS]},
        "asked": asked(), "answers": answers(), "uncounted": uncounted(), "quorums": quorums(), "rules": rules(), "frames": frames(),
    }, indent=1))


if __name__ == "__main__":
    main()
