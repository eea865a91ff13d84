"""How stock Connexion responds differently, by test: the cases, the row of connexion-differences.md, the status.

A case is what a test's parameters are. An excuse holds for the status alone that is stated here: any other failure of
the same case is a failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.api import MERGE_PATCH, as_bytes

Case = Mapping[str, Any]
Concerns = Callable[[Case], bool]


def always(_case: Case) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Excuse:
    """`instead`: the status that stock Connexion answers, or the name of the header that its answer does not have."""

    row: str
    test: str
    instead: int | str
    concerns: Concerns = always

    def covers(self, test: str, case: Case) -> bool:
        return test == self.test and self.concerns(case)

    def mark(self) -> pytest.MarkDecorator:
        """Strict: a case that passes needs no excuse."""
        return pytest.mark.xfail(reason=f"row {self.row}", strict=True, raises=self.failure)

    @property
    def failure(self) -> pytest.RaisesExc[Any]:
        if isinstance(self.instead, str):
            return pytest.RaisesExc(KeyError, match=f"^'{self.instead}'$")
        # As `refusal` and `create`, a plain comparison, and `Truth` begin.
        return pytest.RaisesExc(AssertionError, match=rf"^(assert |[A-Z]+ /\S+ )?{self.instead}[ :]")


def the(parameter: str, concerns: Callable[[Any], bool]) -> Concerns:
    return lambda case: concerns(case[parameter])


def has(part: str) -> Callable[[str], bool]:
    return lambda text: part in text


def claims_utf_16(case: Case) -> bool:
    return "charset=utf-16" in case["media_type"]


def has_half_a_character(case: Case) -> bool:
    """Whether the body cannot be read as UTF-16; another one can, and is then no JSON."""
    return len(as_bytes(case["resource"].minimal)) % 2 == 1


def is_no_unicode(body: bytes) -> bool:
    return is_no_utf_8(body) or re.search(rb"\\ud[89a-f]", body) is not None


def is_no_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return False


def has_a_number_beyond_a_double(body: bytes) -> bool:
    """NaN, infinity, or a whole number that a double does not hold exactly; up to 64 bits, in readable JSON."""
    found = re.search(rb"NaN|Infinity|1e400|[0-9]{16}", body) is not None
    return found and is_json(body) and not has_a_number_beyond_64_bits(body)


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def has_a_number_beyond_64_bits(body: bytes) -> bool:
    return any(digits > b"18446744073709551615" for digits in re.findall(rb"[0-9]{20,}", body))


def has_a_number_that_python_does_not_read(body: bytes) -> bool:
    return re.search(rb"[0-9]{4301}", body) is not None


def has_a_name_twice_or_one_that_is_not_taken(body: bytes) -> bool:
    def notice(members: list[tuple[str, object]]) -> None:
        names = [name for name, _ in members]
        found.append(len(set(names)) < len(names) or any(name[:1] in {"$", "."} or "\0" in name for name in names))

    found: list[bool] = []
    try:
        json.loads(body, object_pairs_hook=notice)
    except (ValueError, RecursionError):
        return False
    return any(found)


def levels(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")


def is_too_deep(body: bytes) -> bool:
    return 64 < levels(body) <= 200


def is_deeper_than_python_merges(body: bytes) -> bool:
    return 200 < levels(body) <= 1000


def is_deeper_than_python_reads(body: bytes) -> bool:
    return levels(body) > 1000


def as_merge_patch(concerns: Callable[[bytes], bool]) -> Concerns:
    """Malformed operations are refused for what they are: each of those bodies is an object."""
    return lambda case: case["media_type"] == MERGE_PATCH and concerns(case["body"])


def of_a_lead(concerns: Callable[[bytes], bool]) -> Concerns:
    """Without a name it is refused for that."""
    return lambda case: b'"name"' in case["body"] and concerns(case["body"])


MONEY = "test_money_is_a_number_that_is_not_negative_in_a_currency"
TAKEN = "test_a_refused_media_type_is_answered_with_those_that_are_taken"
MEDIA = "test_other_media_types_are_refused"
BODIES = "test_what_is_no_strict_json_is_refused"
PATCHES = "test_patches_are_read_as_strictly"
LISTENERS = "test_registrations_are_read_as_strictly"

EXCUSES = (
    Excuse("leniency", "test_the_printed_sales_lead_is_created", 400),
    Excuse("leniency", "test_the_printed_patch_makes_a_sales_lead_pending", 400),
    Excuse("leniency", "test_printed_texts_are_understood_in_a_patch_too", 400),
    Excuse("leniency", "test_a_null_member_is_not_sent", 400),
    Excuse(
        "readOnly at creation",
        "test_what_only_the_server_gives_may_not_be_sent",
        201,
        the("member", lambda member: member != "href"),
    ),
    Excuse("readOnly at creation", "test_what_the_seller_gives_to_an_item_may_not_be_sent_at_any_depth", 201),
    Excuse("readOnly at creation", "test_what_the_service_sets_may_not_be_sent", 201),
    Excuse("no Content-Type", "test_a_body_without_a_media_type_is_refused", 201),
    Excuse("other encodings", "test_an_encoded_body_is_refused", 201),
    Excuse("other encodings", MEDIA, 201, the("media_type", has("charset=latin-1"))),
    Excuse("other encodings", MEDIA, 400, lambda case: claims_utf_16(case) and not has_half_a_character(case)),
    Excuse("other encodings", MEDIA, 500, lambda case: claims_utf_16(case) and has_half_a_character(case)),
    Excuse("unreadable text", BODIES, 500, the("body", is_no_unicode)),
    Excuse("unreadable text", PATCHES, 500, the("body", is_no_utf_8)),
    Excuse("unreadable text", PATCHES, 500, as_merge_patch(lambda body: is_no_unicode(body) and not is_no_utf_8(body))),
    Excuse("unreadable text", LISTENERS, 500, the("body", is_no_utf_8)),
    Excuse("numbers", BODIES, 201, the("body", has_a_number_beyond_a_double)),
    Excuse("numbers", BODIES, 500, the("body", has_a_number_beyond_64_bits)),
    Excuse("numbers", PATCHES, 200, as_merge_patch(has_a_number_beyond_a_double)),
    Excuse(
        "numbers",
        PATCHES,
        500,
        lambda case: (
            as_merge_patch(has_a_number_beyond_64_bits)(case) or has_a_number_that_python_does_not_read(case["body"])
        ),
    ),
    Excuse("numbers", LISTENERS, 500, the("body", has_a_number_that_python_does_not_read)),
    Excuse("names", BODIES, 201, the("body", has_a_name_twice_or_one_that_is_not_taken)),
    Excuse("names", PATCHES, 200, as_merge_patch(has_a_name_twice_or_one_that_is_not_taken)),
    Excuse("depth", BODIES, 201, of_a_lead(is_too_deep)),
    Excuse("depth", PATCHES, 200, as_merge_patch(is_too_deep)),
    Excuse("depth", PATCHES, 500, as_merge_patch(is_deeper_than_python_merges)),
    Excuse("depth", BODIES, 500, the("body", is_deeper_than_python_reads)),
    Excuse("depth", PATCHES, 500, the("body", is_deeper_than_python_reads)),
    Excuse("depth", LISTENERS, 500, the("body", is_deeper_than_python_reads)),
    Excuse("depth", "test_three_hundred_nested_items_are_too_deep", 500),
    Excuse(
        "chunked bodies",
        "test_the_body_of_a_request_that_offers_an_upgrade_is_read",
        400,
        the("parts", lambda parts: b"chunked" in parts[0]),
    ),
    Excuse("chunked bodies", "test_a_body_in_chunks_needs_no_length", 400),
    Excuse("chunked bodies", "test_a_body_byte_by_byte_is_a_body", 400),
    Excuse("chunked bodies", "test_chunks_up_to_the_limit_are_taken", 400),
    Excuse("chunked bodies", "test_chunks_are_counted_as_they_come", 400),
    Excuse("chunked bodies", "test_a_body_that_never_starts_is_given_up", 400),
    Excuse("chunked bodies", "test_a_request_that_is_cut_off_has_no_effect", 400),
    Excuse("size of a body", "test_a_body_is_at_most_as_long_as_the_operator_allows", 201, the("extra", bool)),
    Excuse("size of a body", "test_a_length_over_the_limit_is_refused_before_the_body_is_sent", 100),
    Excuse("size of a body", "test_an_absurd_length_is_refused", 408),
    # Where connexion_words.py has no text: the service rejects in the handler, or strictly, or no library has asked.
    Excuse("error messages", "test_what_is_no_instant_is_refused", 400, the("text", has("0000-"))),
    Excuse("error messages", "test_what_cannot_be_read_is_refused_by_name", 400, the("query", has("criteria"))),
    Excuse("error messages", "test_strictly_the_misprints_of_the_samples_are_refused", 400),
    Excuse("error messages", "test_an_empty_body_in_chunks_is_an_empty_body", 400),
    Excuse("error messages", "test_a_request_without_a_body_has_an_empty_one", 400),
    Excuse("strict mode", "test_strictly_unknown_attributes_are_refused_by_name", 201),
    Excuse("strict mode", "test_strictly_unknown_attributes_are_refused_at_any_depth", 201),
    Excuse("strict mode", "test_strict_mode_rejects_further_members", 201),
    Excuse("strict mode", "test_strictly_an_extension_says_where_its_schema_is", 200),
    Excuse("patterns", "test_what_is_no_version_is_refused", 500, the("version", has("\n"))),
    Excuse("patterns", MONEY, 201, the("revenue", lambda revenue: "\n" in revenue.get("unit", ""))),
    Excuse("leap seconds", "test_every_instant_is_kept_in_one_form", 400, the("sent", has(":60Z"))),
    Excuse("paths", "test_more_slashes_are_other_paths", 500, the("path", lambda path: path.startswith("/"))),
    Excuse("paths", "test_an_odd_id_is_one_that_does_not_exist", 500, the("id", has("\n"))),
    Excuse("media types", "test_json_is_taken_however_it_is_spelled", 415, the("media_type", has(" ;"))),
    Excuse("media types", TAKEN, "accept-patch"),
)
