"""The messages of docs/protocol.md, as a SUT reads and writes them."""

import json

from .errors import MalformedMessage, WorkloadError


def parse_message(line):
    try:
        message = json.loads(line.decode("utf-8"))
    except ValueError:
        raise MalformedMessage("a line is no JSON") from None
    if not isinstance(message, dict):
        raise MalformedMessage("a line is no JSON object")
    if not isinstance(message.get("type"), str):
        raise MalformedMessage("a message has no type")
    return message


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def member(message, name, fits, kind):
    """A member of a request that has to be there and of the right kind."""
    if name in message and fits(message[name]):
        return message[name]
    came = f"with '{name}' {json.dumps(message[name])}" if name in message else f"without '{name}'"
    raise WorkloadError(f"a {message['type']} came {came}", f"{kind} there would do")


def parse_keys(message, name, known):
    """The arm keys; `known` has the allowed values by key, the default first."""
    keys = {key: values[0] for key, (values, _) in known.items()}
    if "keys" not in message:
        return keys
    given = member(message, "keys", lambda value: isinstance(value, dict), "an object of texts")
    for key, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if key not in known:
            raise WorkloadError(f"{name} has no key '{key}'", " or ".join(known))
        if text not in known[key][0]:
            raise WorkloadError(f"key '{key}' of {name} cannot be '{text}'",
                                " or ".join(known[key][0]) + " would do")
        keys[key] = text
    return keys


def parse_operations(message):
    kind = "a whole number from 1 on"
    return member(message, "operations", lambda value: is_whole(value) and value > 0, kind)


def error_message(what, remedy):
    return json.dumps({"type": "error", "what": what, "remedy": remedy})


def answer(kind, /, **members):
    return json.dumps({"type": kind, **members}, allow_nan=False)
