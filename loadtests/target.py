"""Whom a load test talks to: servers, once as an assessor who asks and once as an operator who injects."""

from dataclasses import dataclass, replace

from stepdown.client import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`addresses` with commas, as the client takes them; no role contains another."""

    addresses: str
    assessor: Credentials
    operator: Credentials

    @property
    def is_one(self) -> bool:
        """One server. What a tier does on one of several is not what the callers of all see."""
        return "," not in self.addresses

    def of_server(self, number: int) -> "Target":
        """One of the servers alone."""
        listed = self.addresses.split(",")
        return replace(self, addresses=listed[min(number, len(listed) - 1)])
