#!/usr/bin/env python3
"""Adds to the X-Wing draft's vectors what an implementation without a seed expansion needs: SHAKE256(seed, 96).

usage: xwing.py TEST-VECTORS.json > vectors/sealing/xwing.json

TEST-VECTORS.json is `tests/test-vectors.json` of crate x-wing 0.1.1 (Apache-2.0 OR MIT), the vectors of
draft-connolly-cfrg-xwing-kem-06 and later, appendix C. `expanded` is d (32) ‖ z (32) of ML-KEM-768 ‖ X25519 private key.
"""
import hashlib
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    vectors = json.load(file)
for vector in vectors:
    vector["expanded"] = hashlib.shake_256(bytes.fromhex(vector["seed"])).hexdigest(96)
json.dump({
    "source": "draft-connolly-cfrg-xwing-kem-06 and later, appendix C, as in crate x-wing 0.1.1 (Apache-2.0 OR MIT); "
              "`expanded` added by vectors/make/xwing.py",
    "vectors": vectors,
}, sys.stdout, indent=1)
print()
