"""A client that reads its own writes: what was changed is asked for at the position that the change
was recorded at, so that a replica that is a moment behind is no failure."""

import schemathesis

seen = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Asks for what was seen. A position that nobody has reached yet is answered with 503, as it
    says in the document; the table of conventions looks at that."""
    asked = (case.headers or {}).get("Fido-Min-Position")
    if case.method.upper() == "GET" and (asked is None or str(asked).isdigit()):
        if asked is None or int(asked) > seen:
            case.headers = {**(case.headers or {}), "Fido-Min-Position": str(seen)}


@schemathesis.hook
def after_call(context, case, response):
    """Remembers what was seen."""
    global seen
    for position in response.headers.get("fido-position", []):
        seen = max(seen, int(position))
