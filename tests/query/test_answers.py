"""From the query string to the documents it finds, by the oracle: the rules of TMF630 part 1 as a client sees them."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.query.typed_attributes import where

from tmf_sales.storage.evaluate import matches

DOCUMENTS: dict[str, dict[str, Any]] = {
    "a": {
        "state": "open",
        "created": "2019-05-08T23:59:59.999Z",
        "count": 5,
        "urgent": True,
        "name": "Müller, Meier; Söhne",
        "party": [{"id": "1", "role": "buyer"}, {"id": "2", "role": "seller"}],
        "item": [{"item": [{"id": "1.1"}, {"id": "1.2"}]}, {"item": []}],
        "extra": "5",
    },
    "b": {
        "state": "held",
        "created": "2019-05-09T00:00:00.000Z",
        "count": 10,
        "urgent": False,
        "name": "100% *",
        "party": [{"id": "1", "role": "seller"}, {"id": "2", "role": "buyer"}],
        "extra": 5,
    },
    "c": {"state": "done", "created": "9999-12-31T23:59:59.999Z", "name": "", "party": [], "extra": True},
}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("", "abc"),
        ("state=open", "a"),
        ("state=open,done", "ac"),
        ("state=open&state=held", "ab"),
        ("state.ne=open", "bc"),
        ("state.ne=open&state.ne=held", "c"),
        ("state=open;urgent=false", "ab"),
        ("created=2019-05-08", "a"),
        ("created=2019", "ab"),
        ("created.gt=2019-05-08", "bc"),
        ("created.gte=2019-05-09", "bc"),
        ("created.lt=2019-05-09", "a"),
        ("created.lte=2019-05-08", "a"),
        ("created%3E2019-05-08&created%3C2020", "b"),
        ("created=2019-05-09T02:00:00+02:00", "b"),
        ("created.gt=9999", ""),
        ("created.lte=9999", "abc"),
        ("created.lt=9999-12-31", "ab"),
        ("created=9999-12-31", "c"),
        ("created.lt=0001", ""),
        ("count=5.0", "a"),
        ("count.gt=5", "b"),
        ("count.ne=5", "bc"),
        ("count.exists=false", "c"),
        ("urgent=true", "a"),
        ("name=", "c"),
        ("name=100%25+*", "b"),
        ("name=M%C3%BCller%252C%20Meier%253B%20S%C3%B6hne", "a"),
        ('name="M%C3%BCller, Meier; S%C3%B6hne"', "a"),
        ("name.regex=^M.*e$", "a"),
        ("name.regex=r, M", "a"),
        ("name*=[0-9]%25", "b"),
        ("party.id=1&party.role=buyer", "ab"),
        ("party.id.ne=1", "c"),
        ("party.exists=true", "abc"),
        ("item.item.id=1.2", "a"),
        ("extra=5", "ab"),
        ("extra=true", "c"),
        ("extra.gte=5", "ab"),
        ("colour=red", ""),
        ("colour.ne=red", "abc"),
        ("filter=" + quote("party[?(@.id=='1' && @.role=='buyer')]"), "a"),
        ("filter=" + quote("party[?(@.id=='1' && @.role=='buyer')]") + "&state=held", ""),
        ("filter=" + quote("$[?(@.state=='done' || @.count>=10)]"), "bc"),
        ("filter=" + quote("item[?(@.item[?(@.id=='1.1')])]"), "a"),
        ("filter=" + quote("party[?(!@.role)]"), ""),
        ("filter=" + quote("party[?(@.role != 'buyer' && @.id =~ /^1$/)]"), "b"),
    ],
)
def test_a_query_finds_what_the_rules_say(raw: str, found: str) -> None:
    condition = where(raw)
    assert "".join(id for id, document in DOCUMENTS.items() if matches(condition, document)) == found
