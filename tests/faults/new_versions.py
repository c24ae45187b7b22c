"""New versions of the repository's bundles, signed by somebody whom a test's own trust policy accepts."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepdown.trust.public_keys import public_pem
from stepdown.trust.signing import sign_files
from tests.faults.running_server import ROOT
from tests.unit.trust.samples import key

SIGNER = "release-signer"
FULL, DISTILLED, NEWS2 = "models/sepsis-full", "models/sepsis-distilled", "fallback_rules/news2"


def trust_releases(folder: Path, settings: dict[str, Any]) -> None:
    """Let the server of this folder accept the demo's signer and the test's."""
    trust = folder / "trust"
    shutil.copytree(ROOT / "deploy" / "demo" / "keys", trust / "keys", dirs_exist_ok=True)
    (trust / "keys" / "release.pub.pem").write_bytes(public_pem(key(SIGNER).public_key))
    text = (ROOT / "deploy" / "demo" / "trust.toml").read_text()
    text = text.replace('signers = ["demo-signer"]', f'signers = ["demo-signer", "{SIGNER}"]')
    signer = f'\n[[signer]]\nname = "{SIGNER}"\nkey = "keys/release.pub.pem"\n'
    (trust / "trust.toml").write_text(text.replace("\n[[bundle]]", f"{signer}\n[[bundle]]", 1))
    settings["trust"]["policy"] = str(trust / "trust.toml")
    state = folder / "state"
    state.mkdir(exist_ok=True)
    settings["state"] = {"directory": str(state)}


def release(folder: Path, bundle: str, version: str, *, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """Put another version of a bundle into the folder; `changes` replaces texts in the manifest."""
    target = folder / bundle / version
    shutil.copytree(folder / bundle / "1.0.0", target)
    manifest = target / "manifest.toml"
    text = manifest.read_text().replace('version = "1.0.0"', f'version = "{version}"', 1)
    for before, after in (changes or {}).values():
        assert before in text
        text = text.replace(before, after)
    manifest.write_text(text)
    sign(target)
    return target


def sign(bundle: Path) -> None:
    """Sign what lies there now."""
    shutil.rmtree(bundle / "signatures")
    contents = {
        path.relative_to(bundle).as_posix(): path.read_bytes() for path in sorted(bundle.rglob("*")) if path.is_file()
    }
    (bundle / "signatures").mkdir()
    signature = sign_files(contents, key(SIGNER), subject=bundle.parent.name)
    (bundle / "signatures" / f"{SIGNER}.sig").write_bytes(signature)
