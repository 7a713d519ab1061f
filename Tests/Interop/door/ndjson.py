"""What schemathesis has to be told of this API: how lines of JSON are written. Loaded by `schemathesis_check.py`."""
import json

import schemathesis

LIMIT = 20


@schemathesis.serializer("application/x-ndjson")
def ndjson(_, value):
    """Whatever is made for the body, as lines: a text as it is, anything else a line for each."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    lines = value if isinstance(value, list) else [value]
    return "".join(json.dumps(line) + "\n" for line in lines[:LIMIT]).encode()
