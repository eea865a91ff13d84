"""What the HTTP tests expect of the reference stack: with TEST_STACK=flask they run against stock Connexion.

Each case in which it responds differently is excused with its row of connexion-differences.md and the status that it
returns instead. All other cases must pass, and an excused one that passes is a failure.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.reference_stack.excuses import EXCUSES, Excuse

NO_STREAMS = "no event streams: GET /event answers with a page"
NOT_THERE = {
    "test_all_at_once.py": "error messages: it names none of the violations",
    "test_metrics.py": "no telemetry",
    "test_permissions_and_health.py": "no pages but Swagger UI",
    "test_request_log.py": "no telemetry",
    "test_traces.py": "no telemetry",
    "test_leniency.py": "leniency: it forgives nothing that its contract does not",
    "test_numbers.py": "numbers: it stores what a double changes",
    "test_audit.py": "no authentication",
    "test_credentials.py": "no authentication",
    "test_access_table.py": "no authentication",
    "test_strict_mode.py": "no strict mode for bodies",
    "test_a_stream_has_no_pages": NO_STREAMS,
    "test_a_stream_brings_what_happens_and_goes_on_where_it_was_cut": NO_STREAMS,
    "test_a_stream_brings_the_events_of_all_workers_once_and_those_of_a_resource_in_order": NO_STREAMS,
    "test_a_stream_after_an_event_that_the_log_does_not_have_says_so_and_begins_now": NO_STREAMS,
    "test_the_number_of_streams_is_bounded_and_requests_are_still_served": NO_STREAMS,
    "test_a_stream_ends_at_once_when_the_service_stops": NO_STREAMS,
    "test_a_client_that_reads_nothing_holds_no_more_than_an_event": NO_STREAMS,
    "test_a_caller_sees_the_events_of_what_it_may_see": "no authentication",
    "test_a_caller_has_only_so_many_streams": "no authentication",
    "test_nobody_reaches_the_deliveries_of_a_subscription_that_is_not_seen": "no authentication",
    "test_a_query_is_tried_only_on_events_that_the_caller_may_see": "no authentication",
    "test_others_are_answered_while_a_long_body_is_checked": "bodies: it keeps the last of two members of one name",
    "test_a_body_of_too_many_containers_is_rejected_before_it_is_parsed": "bodies: it counts no objects and lists",
    "test_an_expansion_shows_only_what_the_caller_may_retrieve": "no authentication",
    "test_a_token_expands_only_what_its_scopes_may_read": "no authentication",
}
"""Why the tests of a file, or one test by its name, cannot run there."""


def expect_known_differences(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if why := NOT_THERE.get(item.path.name) or NOT_THERE.get(item.originalname):
            item.add_marker(pytest.mark.skip(reason=why))
        elif excuse := excuse_of(item):
            item.add_marker(excuse.mark())


def excuse_of(item: pytest.Function) -> Excuse | None:
    case = item.callspec.params if hasattr(item, "callspec") else {}
    found = [excuse for excuse in EXCUSES if excuse.covers(item.originalname, case)]
    assert len(found) < 2, f"{item.nodeid}: {found}"
    return found[0] if found else None
