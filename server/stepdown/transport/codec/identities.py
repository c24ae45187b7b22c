"""What a bundle is called on the wire. Refuses to know anything else of it."""

from stepdown.api.v1 import tiers_pb2
from stepdown.domain.bundles import BundleIdentity


def encode_bundle(bundle: BundleIdentity) -> tiers_pb2.BundleIdentity:
    """Name, version, digest and signers."""
    return tiers_pb2.BundleIdentity(
        name=bundle.name, version=bundle.version, sha256=bundle.sha256, signers=bundle.signers
    )
