"""Which pathways and tiers this server was configured with, and the verified bundle behind each tier now.

Each pathway is immutable; when an operator brings another version into one, it is exchanged whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.domain.assessments import TierIdentity
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.reasons import Reason
from stepdown.domain.status import SupportingStatus
from stepdown.domain.tiers import SERVER_PROCESS, ExecutionProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDescription:
    """One tier as configured. `bundle` None: refused at load, with `refusal` and its detail.

    `previous` is the version that served before, if an earlier run of the server left one.
    """

    name: str
    bundle: VerifiedBundle | None
    execution_providers: tuple[ExecutionProvider, ...] = ()
    is_rules: bool = False
    refusal: Reason | None = None
    refusal_detail: str = ""
    previous: VerifiedBundle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathway:
    """One chain as configured, best tier first. `clinical`: it takes coded observations, not only raw tensors.

    `supporting`: verified rule bundles that are evidence beside the answer, never a tier; `supporting_status` has the
    refused ones as well.
    """

    name: str
    budget_ms: int
    tiers: tuple[TierDescription, ...]
    clinical: bool
    supporting: tuple[VerifiedBundle, ...] = ()
    supporting_status: tuple[SupportingStatus, ...] = ()

    def tier(self, name: str) -> TierDescription:
        """The tier of that name. Raises KeyError."""
        for tier in self.tiers:
            if tier.name == name:
                return tier
        raise KeyError(name)

    @property
    def rules_identity(self) -> TierIdentity | None:
        """How an answer of the rules names itself; None where no verified rules stand in the chain."""
        for tier in self.tiers:
            if tier.is_rules and tier.bundle is not None:
                return TierIdentity(
                    pathway=self.name,
                    tier=tier.name,
                    execution_provider=ExecutionProvider.RULES,
                    device=SERVER_PROCESS,
                    bundle=tier.bundle.identity,
                )
        return None

    @property
    def models(self) -> tuple[TierDescription, ...]:
        """The tiers that run a model."""
        return tuple(tier for tier in self.tiers if not tier.is_rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Every configured pathway by name, as it is now."""

    pathways: Mapping[str, Pathway]
