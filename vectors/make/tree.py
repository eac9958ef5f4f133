"""Trees of the register and the map, by their definitions. For vectors only; shares no code with the implementation.

Written from RFC 6962 section 2.1 and docs/spec/{rotation,freshness}.md; Python standard library only.
"""
import hashlib


def sha256(data):
    return hashlib.sha256(data).digest()


# --- a log: RFC 6962 ---

def split(count):
    """The largest power of two smaller than count."""
    return 1 << (count - 1).bit_length() - 1


def tree_hash(leaves):
    """MTH; of no leaves, the hash of nothing."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0])
    k = split(len(leaves))
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:]))


def path(index, leaves):
    """PATH, bottom up."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [tree_hash(leaves[k:])]
    return path(index - k, leaves[k:]) + [tree_hash(leaves[:k])]


def peaks(leaves):
    """Roots of the whole trees that the leaves make up, the largest first: one for each bit of their number."""
    roots, at = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            roots.append(tree_hash(leaves[at:at + (1 << bit)]))
            at += 1 << bit
    return roots


# --- the map: names of 256 bits, each with a state ---

NOTHING = bytes(32)


def bit(name, depth):
    return int.from_bytes(name, "big") >> (255 - depth) & 1


def halves(leaves, depth):
    return tuple({name: state for name, state in leaves.items() if bit(name, depth) == side} for side in (0, 1))


def map_hash(leaves, depth=0):
    """Of the leaves whose names have their first `depth` bits in common."""
    if not leaves:
        return NOTHING
    if len(leaves) == 1:
        [(name, state)] = leaves.items()
        return sha256(b"\x02" + name + state)
    return sha256(b"\x03" + b"".join(map_hash(half, depth + 1) for half in halves(leaves, depth)))


def map_proof(leaves, name):
    """Siblings from the root downwards, and the only leaf below the end of the path, or None."""
    siblings, depth = [], 0
    while len(leaves) > 1:
        pair = halves(leaves, depth)
        depth += 1
        siblings.append(map_hash(pair[1 - bit(name, depth - 1)], depth))
        leaves = pair[bit(name, depth - 1)]
    return siblings, next(iter(leaves.items()), None)
