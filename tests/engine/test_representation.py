"""From stored documents to what goes over the wire."""

from __future__ import annotations

import orjson
import pytest

from tmf_sales.engine.representation import list_with_hrefs, text_with_href, with_href
from tmf_sales.storage.records import Row, TextRow, Version

HREF = "http://host/a\u00e9"


@pytest.mark.parametrize(
    "text",
    [
        b'{"id":"a\xc3\xa9","name":"x"}',
        b'{"id":"a\xc3\xa9"}',
        b'{"name":"x","id":"a\xc3\xa9"}',
        b'{ "id" : "a\xc3\xa9" }',
        b'{"id":"a\\u00e9","name":"x"}',
    ],
)
def test_href_comes_after_the_id_however_the_text_was_stored(text: bytes) -> None:
    shown = text_with_href(Version(1, text=text), "a\u00e9", HREF)

    assert orjson.loads(shown) == {**orjson.loads(text), "href": HREF}
    assert [*orjson.loads(shown)][:2] == ["id", "href"]


def test_a_document_gets_its_href_without_being_changed() -> None:
    document = {"id": "1", "name": "x"}

    assert [*with_href(document, HREF).items()] == [("id", "1"), ("href", HREF), ("name", "x")]
    assert document == {"id": "1", "name": "x"}


def test_texts_are_joined_to_a_list() -> None:
    assert b"".join(list_with_hrefs([], "http://h/x")) == b"[]"
    ids = ["plain", 'a"b', 'b"', "c\\", "d\u00e9", "e\n", "f/g"]
    rows = [Row(id, Version(1, {"id": id, "n": 1})) for id in ids]
    rows.append(Row("late", Version(2, {"n": 2, "id": "late"})))

    assert orjson.loads(b"".join(list_with_hrefs(rows, "http://h/x"))) == [
        *({"id": id, "href": f"http://h/x/{id}", "n": 1} for id in ids),
        {"id": "late", "href": "http://h/x/late", "n": 2},
    ]
    assert b"".join(list_with_hrefs(rows[:1], "http://h/x")) == b'[{"id":"plain","href":"http://h/x/plain","n":1}]'


@pytest.mark.parametrize("text", [b'{"id":"1","n":1}', b'{"n":1,"id":"1"}'])
def test_rows_that_a_store_read_as_text_are_listed_like_others(text: bytes) -> None:
    read, made = TextRow("1", 3, text, None), Row("1", Version(3, text=text))

    assert list_with_hrefs([read], "http://h/x") == list_with_hrefs([made], "http://h/x")
    assert (read.version.revision, read.version.text) == (3, text)
