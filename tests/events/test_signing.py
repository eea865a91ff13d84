"""Promises of tmf_sales.events.signing, checked with the independent `standardwebhooks` package."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tmf_sales.events.signing import InvalidSecret, Secret, read_secrets, signature_headers, verifies, written_secret

OLD = written_secret(b"o" * 32)
NEW = written_secret(b"n" * 32)
BODY = b'{"eventId":"7","text":"\xc3\xa9"}'


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def signed_by(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    return dict(signature_headers("msg-1", now(), body, read_secrets(" ".join(secrets))))


def test_an_independent_verifier_accepts_the_signature() -> None:
    assert Webhook(NEW).verify(BODY, signed_by(NEW)) == json.loads(BODY)


def test_while_a_secret_is_replaced_both_verify() -> None:
    headers = signed_by(NEW, OLD)

    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(OLD).verify(BODY, headers) == Webhook(NEW).verify(BODY, headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_id_and_time_are_signed(name: str) -> None:
    signed = signed_by(NEW)
    other = {"webhook-id": "msg-2", "webhook-timestamp": str(int(signed["webhook-timestamp"]) + 1)}
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(NEW).verify(BODY, signed | {name: other[name]})


def test_another_body_does_not_verify() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY.replace(b"7", b"8"), signed_by(NEW))


def test_without_a_secret_there_is_no_signature() -> None:
    assert signed_by().keys() == {"webhook-id", "webhook-timestamp"}


def test_an_id_that_could_shift_the_signed_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="message id"):
        signature_headers("a.1", 2, b"", ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hush",
        "whsec_",
        "whsec_%%%",
        NEW.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_what_is_no_secret_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        Secret(text)

    assert str(caught.value) == "expected whsec_ and the base64 of 24 to 64 bytes"


def test_a_setting_holds_several_secrets_or_none() -> None:
    assert read_secrets(None) == ()
    assert len(read_secrets(f"{NEW}, {OLD}")) == 2
    assert "nnnn" not in repr(read_secrets(NEW))


def test_our_receiver_verifies_what_the_independent_package_signs() -> None:
    moment = datetime.now(UTC)
    signature = Webhook(NEW).sign("msg-1", moment, BODY.decode())
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": f"v1,other v2,unknown {signature}",
    }

    assert verifies(headers, BODY, read_secrets(f"{OLD} {NEW}"), moment.timestamp())
    assert not verifies(headers, BODY + b" ", read_secrets(NEW), moment.timestamp())
    assert not verifies(headers, BODY, read_secrets(OLD), moment.timestamp())
    assert not verifies(headers, BODY, read_secrets(NEW), moment.timestamp() + 301)
    assert not verifies(headers | {"webhook-timestamp": "soon"}, BODY, read_secrets(NEW), moment.timestamp())
    assert not verifies({}, BODY, read_secrets(NEW), moment.timestamp())
