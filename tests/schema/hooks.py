"""Bodies that schemathesis has no writer for: bytes of any kind, which is what they are to a gateway."""

import json
import os

import schemathesis

# Whoever ends the keys that it asks with is asked nothing more.
OWN = set(os.environ["TENSFER_KEYIDS"].split())


def sealed(ctx, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


for media in ["application/cbor", "message/ohttp-req"]:
    schemathesis.serializer(media)(sealed)


@schemathesis.hook
def filter_case(ctx, case):
    return case.operation.method == "get" or (case.path_parameters or {}).get("id") not in OWN
