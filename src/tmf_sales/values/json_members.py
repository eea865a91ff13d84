"""Reads some members of a JSON object without parsing all of it: parsing costs more than all other work on a list."""

from __future__ import annotations

from typing import Any

import orjson


def read_members(text: bytes, names: frozenset[str]) -> dict[str, Any]:
    """Return the object, or a part of it with every member that has one of these names.

    `text`: an object as orjson writes it. Parses what comes before its first inner object and what comes after its last
    one; parses all of it when a name may be between them.

    Both parts are cut at a comma, and are valid only if it separates two members of the object itself. The first part
    begins like the text, so it ends inside nothing else. The second has no brace but the last: if it began in a string,
    an odd number of quotation marks would follow, and if it began in a list, an element without a name.
    """
    before = text.rfind(b',"', 0, text.find(b"{", 1))
    after = text.find(b',"', text.rfind(b"}", 0, -1))
    try:
        found: dict[str, Any] = orjson.loads(text[:before] + b"}")
        if after > 0:
            found.update(orjson.loads(b"{" + text[after + 1 :]))
    except orjson.JSONDecodeError:
        return orjson.loads(text)  # type: ignore[no-any-return]
    for name in names.difference(found):
        if orjson.dumps(name) + b":" in text:
            return orjson.loads(text)  # type: ignore[no-any-return]
    return found
