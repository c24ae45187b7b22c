"""Sign every bundle of this repository with the demo signer's key, or check that all of them verify.

The private key lives in memory only, unless --key names a file outside the repository to keep it in (made if absent).
Its public half goes to deploy/demo/keys, where the demo's trust policy looks for it, so one run signs all bundles.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.keys import (
    FileSigningKey,
    create_signing_key,
    new_signing_key,
    read_signing_key,
    replace_file,
)
from stepdown.adapters.trust_policy import read_trust_policy
from stepdown.cli.bundle.signing import SignOrder, sign_bundle
from stepdown.domain.errors import StepdownError, TrustError
from stepdown.trust.public_keys import key_id, public_pem
from stepdown.trust.semantic_version import is_version
from stepdown.trust.verification import verify_bundle

ROOT = Path(__file__).resolve().parent.parent
SHELVES = (ROOT / "models", ROOT / "fallback_rules")
POLICY = ROOT / "deploy" / "demo" / "trust.toml"
PUBLIC_KEY = ROOT / "deploy" / "demo" / "keys" / "demo-signer.pub.pem"
SIGNER = "demo-signer"


def bundle_directories() -> Iterator[Path]:
    """Every <shelf>/<name>/<version> that holds a manifest."""
    for shelf in SHELVES:
        for manifest in sorted(shelf.glob("*/*/manifest.toml")):
            if is_version(manifest.parent.name):
                yield manifest.parent


def sign_all(key_file: Path | None) -> None:
    """Sign every bundle, then publish the key that signed them."""
    key = _key(key_file)
    for directory in bundle_directories():
        signed = sign_bundle(SignOrder(directory=directory, key=key, signer=SIGNER, discard_stale=True))
        print(f"signed   {signed.manifest.name:18} {signed.manifest.version:8} {signed.sha256}")
    PUBLIC_KEY.parent.mkdir(parents=True, exist_ok=True)
    replace_file(PUBLIC_KEY, public_pem(key.public_key), mode=0o644)
    print(f"key id   {key_id(key.public_key)}")


def verify_all() -> int:
    """Verify every bundle by the demo's trust policy; returns how many were refused."""
    policy = read_trust_policy(POLICY).policy
    refused = 0
    for directory in bundle_directories():
        name, version = directory.parent.name, directory.name
        try:
            digest = verify_bundle(name, version, read_directory(directory), policy, time.time()).sha256
            print(f"verified {name:18} {version:8} {digest}")
        except TrustError as error:
            refused += 1
            print(f"refused  {name:18} {version:8} {error}")
    return refused


def _key(key_file: Path | None) -> FileSigningKey:
    if key_file is None:
        return new_signing_key()
    if key_file.resolve().is_relative_to(ROOT):
        sys.exit(f"sign_bundles: {key_file} lies in the repository; keep private keys elsewhere")
    if not key_file.exists():
        create_signing_key(key_file)
    return read_signing_key(key_file)


def main() -> None:
    """Read the command line, then sign (unless only asked to check) and verify."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="sign nothing, only verify")
    parser.add_argument("--key", type=Path, help="file to keep the private key in, outside the repository")
    arguments = parser.parse_args()
    try:
        if not arguments.check:
            sign_all(arguments.key)
        refused = verify_all()
    except (StepdownError, OSError) as error:
        sys.exit(f"sign_bundles: {error}")
    if refused:
        sys.exit(f"sign_bundles: {refused} refused; sign again what was changed on purpose: scripts/sign_bundles.py")


if __name__ == "__main__":
    main()
