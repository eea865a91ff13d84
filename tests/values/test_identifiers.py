"""The ids that the service gives."""

from __future__ import annotations

import time
import uuid

import pytest

from tmf_sales.values.identifiers import new_uuid


def test_an_id_is_a_uuid_of_version_7_in_its_usual_form() -> None:
    id = new_uuid()

    assert (uuid.UUID(id).version, uuid.UUID(id).variant) == (7, uuid.RFC_4122)
    assert str(uuid.UUID(id)) == id


def test_ids_begin_with_the_time_so_that_they_stand_in_its_order() -> None:
    before, id, after = time.time_ns() // 1_000_000, new_uuid(), time.time_ns() // 1_000_000

    assert before <= int(id.replace("-", "")[:12], 16) <= after


def test_no_two_ids_are_the_same() -> None:
    assert len({new_uuid() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("moment", [-1, -(10**18), 0])
def test_ids_are_well_formed_where_the_clock_is_before_1970(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: moment)

    id = new_uuid()

    assert str(uuid.UUID(id)) == id
    assert id.startswith("00000000-0000-7")
