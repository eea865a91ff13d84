"""The table of mutants of each API: id of a check -> the server that this check, and no other, finds wrong."""

from __future__ import annotations

from tests.conformance import lead_mutants, quote_mutants, shared_mutants
from tests.conformance.mutant import Mutant

from tmf_conformance.api import Api

OWN = {"tmf648": quote_mutants.quote, "tmf699": lead_mutants.lead}


def mutants_of(api: Api) -> dict[str, Mutant]:
    return {id: mutant for part in (*shared_mutants.PARTS, OWN[api.name]) for id, mutant in part(api).items()}
