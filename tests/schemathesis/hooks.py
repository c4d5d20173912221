"""A client as it should be: it reads its own writes, and has a key of its own for each change."""

import uuid

import schemathesis

seen = 0


@schemathesis.hook
def filter_case(context, case):
    """A header that nobody knows is no mistake: HTTP has them ignored (RFC 9110 5.1)."""
    return not any("schemathesis-unknown" in name.lower() for name in case.headers or {})


@schemathesis.hook
def before_call(context, case, kwargs):
    """Asks for what was seen, so that a replica that is a moment behind is no failure. A position
    that nobody has reached yet is answered with 503, as the document says, and a key that stood for
    another request with 422: the table of conventions (tests/it/conventions) looks at both."""
    headers = dict(case.headers or {})
    asked = headers.get("Fido-Min-Position")
    if case.method.upper() == "GET" and (asked is None or str(asked).isdigit()):
        if asked is None or int(asked) > seen:
            headers["Fido-Min-Position"] = str(seen)
    key = headers.get("Idempotency-Key")
    if key is not None and 1 <= len(str(key)) <= 255 and all("!" <= c <= "~" for c in str(key)):
        headers["Idempotency-Key"] = str(uuid.uuid4())
    case.headers = headers
    # No schema can say which text is the `next` of a page.
    if case.meta and case.meta.generation.mode.is_positive and case.query:
        case.query = {name: value for name, value in case.query.items() if name != "cursor"}


@schemathesis.hook
def after_call(context, case, response):
    """Remembers what was seen."""
    global seen
    for position in response.headers.get("fido-position", []):
        seen = max(seen, int(position))
