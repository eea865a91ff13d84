"""Where an operation has no filters, a parameter that it does not declare is rejected with what it has instead."""

from __future__ import annotations

import pytest

from tmf_sales.errors import InvalidParameter
from tmf_sales.query.names import reject_undeclared_parameters


@pytest.mark.parametrize(
    ("given", "declared", "message"),
    [
        (["x"], [], "'x' is not a parameter here, where there are none: leave it out"),
        (["x"], ["kind", "id"], "'x' is not a parameter here, where there is only kind and id"),
        (["limit", "Limit"], ["limit"], "'Limit' is not a parameter here; did you mean limit?"),
        (["ids"], ["kind", "id"], "'ids' is not a parameter here; did you mean id?"),
        (["id", "id"], ["id"], "id: is given more than once"),
    ],
)
def test_a_parameter_that_is_not_declared_is_rejected(given: list[str], declared: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter) as rejection:
        reject_undeclared_parameters(given, declared)

    assert rejection.value.message == message


def test_declared_parameters_are_accepted_in_any_order() -> None:
    reject_undeclared_parameters(["id", "kind"], ["kind", "id"])
    reject_undeclared_parameters([], [])
