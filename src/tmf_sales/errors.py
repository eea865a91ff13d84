"""Every way a request can fail, as one exception per condition, and the TMF Error body that the client reads.

Every response that is not 2xx is built here (TMF630 part 1, Error). `code` is stable, `reason` says what is
wrong in general, `message` names the place (JSON pointer, parameter, header) and what was expected there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from tmf_sales.values.messages import SHOWN_LIMIT, Violation, list_violations, shown


class CannotStart(Exception):
    """Raised when the service cannot start: a setting, a contract, a store. Its text is one line for the operator."""


class TmfError(Exception):
    """A response that is not 2xx. Subclasses fix status, code and reason; the instance says where and why."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internalError"
    reason: ClassVar[str] = "The service failed"

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, str]:
        """The Error resource of TMF630: code, reason, message, status (all text)."""
        return {
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
            "status": str(int(self.status)),
            "@type": "Error",
        }

    def problem(self) -> dict[str, str | int]:
        """The same facts as problem details (RFC 9457); `code` is the stable name of the condition."""
        status = HTTPStatus(self.status)
        return {
            "type": "about:blank",
            "title": status.phrase,
            "status": int(status),
            "detail": self.message,
            "code": self.code,
            "reason": self.reason,
        }


# 400: an invalid request ----------------------------------------------------------------------------------------------


class BadRequest(TmfError):
    """Raised when the request is invalid and no other code of status 400 applies."""

    status = HTTPStatus.BAD_REQUEST
    code = "badRequest"
    reason = "The request is not valid"


class MalformedBody(BadRequest):
    """Raised when the body is not strict JSON: syntax, encoding, duplicate names, NaN, depth."""

    code = "malformedBody"
    reason = "The body is not valid JSON"


class BodyCutOff(BadRequest):
    """Raised when the connection ends before the whole body has arrived, so that no client reads this response."""

    code = "bodyCutOff"
    reason = "The body is not complete"


class InvalidBody(BadRequest):
    """Raised when the body breaks the contract or a rule between its own members."""

    code = "invalidBody"
    reason = "The body does not follow the contract"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(list_violations(violations))
        self.violations = tuple(violations)


class InvalidParameter(BadRequest):
    """Raised when a path, query or header parameter does not follow the contract."""

    code = "invalidParameter"
    reason = "A parameter is not valid"


class InvalidFilter(InvalidParameter):
    """Raised when a filter cannot be parsed, or its value does not have the attribute's type."""

    code = "invalidFilter"
    reason = "Invalid filter"


class InvalidPatch(BadRequest):
    """Raised when a patch is malformed: an entry that is no operation, an unknown `op`, an invalid path."""

    code = "invalidPatch"
    reason = "The patch is not valid"


class NotPatchable(BadRequest):
    """Raised when a patch changes a member that the contract marks as read-only."""

    code = "notPatchable"
    reason = "A member that cannot be changed was changed"


# 401, 403 -------------------------------------------------------------------------------------------------------------


class Unauthenticated(TmfError):
    """Raised when credentials are missing or not accepted."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthenticated"
    reason = "Credentials are required"


class Forbidden(TmfError):
    """Raised when the caller is known but the policy does not allow the operation."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"
    reason = "This is not allowed for the caller"


class UnservedHost(Forbidden):
    """Raised when a service on loopback without authentication gets a foreign Host (a DNS rebinding attack)."""

    code = "unservedHost"
    reason = "The service does not serve this Host"


# 404 - 415: routing and media types -----------------------------------------------------------------------------------


class NotFound(TmfError):
    """Raised when the resource or its version does not exist, or the caller may not see it."""

    status = HTTPStatus.NOT_FOUND
    code = "notFound"
    reason = "The resource does not exist"


class NoSuchRoute(TmfError):
    """Raised when no operation of any contract has this path."""

    status = HTTPStatus.NOT_FOUND
    code = "noSuchRoute"
    reason = "No operation has this path"


class MethodNotAllowed(TmfError):
    """Raised when the path does not have this method; `Allow` lists those that it has (RFC 9110, 15.5.6)."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "methodNotAllowed"
    reason = "The path does not have this method"

    @classmethod
    def among(cls, method: str, allowed: Sequence[str]) -> MethodNotAllowed:
        listed = ", ".join(allowed)
        return cls(f"{method[:SHOWN_LIMIT]} is not one of {listed}", {"Allow": listed})


class NotAcceptable(TmfError):
    """Raised when Accept excludes application/json (RFC 9110, 15.5.7)."""

    status = HTTPStatus.NOT_ACCEPTABLE
    code = "notAcceptable"
    reason = "Responses are application/json only"


class BodyTimeout(TmfError):
    """Raised when the body did not arrive in time; the connection is closed (RFC 9110, 15.5.9)."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "bodyTimeout"
    reason = "The body did not arrive in time"

    def __init__(self, message: str) -> None:
        super().__init__(message, {"Connection": "close"})


class BodyTooLarge(TmfError):
    """Raised when a body, or the result of a patch, exceeds the limit (RFC 9110, 15.5.14)."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "bodyTooLarge"
    reason = "The body is too large"


class UnsupportedMediaType(TmfError):
    """Raised when Content-Type is missing or not accepted by the operation (RFC 9110, 15.5.16)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupportedMediaType"
    reason = "The body's media type is not supported"


# 409, 412: a valid request that the stored resource does not allow ----------------------------------------------------


class Conflict(TmfError):
    """Raised when the stored resource or its state does not allow a valid request."""

    status = HTTPStatus.CONFLICT
    code = "conflict"
    reason = "The stored resource does not allow this"


class ForbiddenTransition(Conflict):
    """Raised when a patch asks for a state that cannot follow the current one."""

    code = "forbiddenTransition"
    reason = "The lifecycle does not allow this change of state"

    def __init__(self, pointer: str, current: str, wanted: str, allowed: Sequence[str]) -> None:
        choices = ", ".join(allowed) or "nothing, it is final"
        super().__init__(f"{pointer}: cannot change from {current} to {shown(wanted)}; allowed: {choices}")


class StatesDisagree(Conflict):
    """Raised when a patch asks for a state of the resource that contradicts the states of its parts."""

    code = "statesDisagree"
    reason = "The states of the resource and of its parts contradict each other"


class FinalState(Conflict):
    """Raised when a patch changes a member that cannot change in the current state of the resource."""

    code = "finalState"
    reason = "The state of the resource does not allow this change"


class OfferExpired(Conflict):
    """Raised when a quote is accepted after the end of its validFor."""

    code = "offerExpired"
    reason = "The offer is no longer valid"


class PatchDoesNotApply(Conflict):
    """Raised when a well-formed patch does not fit the stored resource: missing path, failed test, no match."""

    code = "patchDoesNotApply"
    reason = "The patch does not apply to the stored resource"


class PatchResultRefused(Conflict):
    """Raised when the patch applies but the contract rejects the result."""

    code = "patchResultRefused"
    reason = "The patched resource would not follow the contract"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(list_violations(violations, "the resource"))
        self.violations = tuple(violations)


class DuplicateSubscription(Conflict):
    """Raised when a subscription with the same callback and query exists."""

    code = "duplicateListener"
    reason = "The subscription exists already"


class SubscriptionDisabled(Conflict):
    """Raised when events are replayed to a disabled subscription."""

    code = "listenerDisabled"
    reason = "The subscription is disabled"


class CallbackRefused(Conflict):
    """Raised when a callback has an address that webhooks may not reach."""

    code = "callbackRefused"
    reason = "The callback's address is not allowed"


class VersionTaken(Conflict):
    """Raised when the resource already has a version with this number."""

    code = "versionTaken"
    reason = "This version exists already"


class ResourceTooLarge(Conflict):
    """Raised when a resource with all its versions would exceed 8 MB."""

    code = "resourceTooLarge"
    reason = "The resource would become too large"


class IdempotencyConflict(Conflict):
    """Raised when an Idempotency-Key is repeated with another body or query, or while the first request is running."""

    code = "idempotencyConflict"
    reason = "The idempotency key is in use"


class PreconditionFailed(TmfError):
    """Raised when If-Match or If-None-Match does not match the stored revision (RFC 9110, 13)."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "preconditionFailed"
    reason = "A precondition of the request does not hold"


# 429, 5xx -------------------------------------------------------------------------------------------------------------


class TooManyRequests(TmfError):
    """Raised when the caller exceeds its rate limit; Retry-After says when to try again."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "tooManyRequests"
    reason = "Too many requests"


class Unavailable(TmfError):
    """Raised when the service is overloaded, shuts down, or exceeds the time of a request; has Retry-After."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    reason = "The service is temporarily unavailable"

    def __init__(self, message: str, retry_after: int = 1, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, {"Retry-After": str(retry_after), **(headers or {})})


class InternalError(TmfError):
    """Raised for an unexpected error; only the log has its cause."""
