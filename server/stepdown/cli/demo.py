"""`stepdown demo`: the demonstration chain on loopback, with certificates it makes itself.

Writes an ordinary configuration file into its state folder and serves that, so that what it shows is what `serve` does.
"""

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import tomli_w
from rich.console import Console

import stepdown
from stepdown.adapters.certificates import DemoPki, ensure_demo_pki
from stepdown.adapters.ledger.keys import ensure_ledger_keys, verifier_key_path
from stepdown.cli.incident import play_incident
from stepdown.cli.serve import run
from stepdown.cli.state import READY_FILE, default_state_directory
from stepdown.domain.records import LedgerError

DEMO_TRUST_DOMAIN = "stepdown.demo"
DEMO_LEDGER = "stepdown.demo/ledger"


@click.command()
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), help="Where certificates are kept.")
@click.option("--grpc-port", type=click.IntRange(0, 65535), default=8443, show_default=True)
@click.option("--ops-port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--incident", is_flag=True, help="Play an incident for a minute: a ward is scored while workers die.")
def demo(*, state_dir: Path | None, grpc_port: int, ops_port: int, incident: bool) -> None:
    """Serve the demonstration pathway on this machine until Ctrl-C."""
    if incident:
        incident_played = play_incident(repository() / "deploy" / "demo" / "stays", Console())
        sys.exit(0 if incident_played.unharmed else 1)
    folder = (state_dir or default_state_directory()).resolve()
    try:
        pki = ensure_demo_pki(folder / "certificates")
        ledger = ensure_ledger(folder)
        document = demo_configuration(pki, folder, grpc_port=grpc_port, ops_port=ops_port, ledger=ledger)
        config = folder / "stepdown.toml"
        config.write_bytes(tomli_w.dumps(document).encode())
    except (OSError, LedgerError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        text = f"{folder} cannot be written ({why}): name another --state-dir"
        raise click.ClickException(text) from error
    extra = {
        "ca": str(pki.ca),
        "client_cert": str(pki.client_cert),
        "client_key": str(pki.client_key),
        "operator_cert": str(pki.operator_cert),
        "operator_key": str(pki.operator_key),
        "auditor_cert": str(pki.auditor_cert),
        "auditor_key": str(pki.auditor_key),
        "ledger": ledger["path"],
        "ledger_verifier": str(verifier_key_path(Path(ledger["signing_key"]))),
    }
    ready_file = folder / READY_FILE
    try:
        run(config, extra=extra, when_ready=lambda ready: _announce(ready, ready_file))
    finally:
        _withdraw(ready_file)


def repository() -> Path:
    """The checkout that this package runs from. Raises click.ClickException when it is installed without one."""
    root = Path(stepdown.__file__).resolve().parents[2]
    if not (root / "deploy" / "demo" / "stepdown.toml").is_file():
        raise click.ClickException("the demo needs a source checkout: it serves that checkout's bundles")
    return root


def _announce(ready: dict[str, str], ready_file: Path) -> None:
    ready_file.write_text(json.dumps({**ready, "pid": os.getpid()}), "utf-8")
    click.echo(
        f"\nStepdown answers on {ready['grpc']} (gRPC, mutual TLS 1.3); its state is shown at {ready['ops']}/\n"
        "Next, in another terminal:\n"
        "    .venv/bin/stepdown assess --record deploy/demo/stays/septic.psv\n"
        "    .venv/bin/stepdown demo --incident\n",
        err=True,
    )


def _withdraw(ready_file: Path) -> None:
    """Remove the file unless another demo has put its own in the place since."""
    try:
        own = json.loads(ready_file.read_text("utf-8"))["pid"] == os.getpid()
    except (OSError, ValueError, KeyError):
        return
    if own:
        ready_file.unlink(missing_ok=True)


def ensure_ledger(state: Path) -> dict[str, str]:
    """The demo's ledger as a section of the configuration, its keys made where there are none. Raises: OSError."""
    folder = state / "ledger"
    signing_key, digest_key = folder / "ledger.key.pem", folder / "digests.key"
    ensure_ledger_keys(signing_key=signing_key, digest_key=digest_key, name=DEMO_LEDGER)
    return {
        "name": DEMO_LEDGER,
        "path": str(folder / "ledger.db"),
        "signing_key": str(signing_key),
        "digest_key": str(digest_key),
        "export": str(state / "checkpoints"),
    }


def demo_configuration(
    pki: DemoPki, state: Path, *, grpc_port: int, ops_port: int, ledger: dict[str, str] | None = None
) -> dict[str, Any]:
    """The checkout's demo chain on these ports, with these certificates, and this ledger; every path absolute."""
    folder = repository() / "deploy" / "demo"
    document = tomllib.loads((folder / "stepdown.toml").read_text("utf-8"))
    document["server"] |= {
        "grpc_address": f"127.0.0.1:{grpc_port}",
        "ops_address": f"127.0.0.1:{ops_port}",
        "tls": {
            "certificate": str(pki.server_cert),
            "key": str(pki.server_key),
            "client_ca": str(pki.ca),
            "trust_domain": DEMO_TRUST_DOMAIN,
        },
    }
    document["state"] = {"directory": str(state)}
    if ledger is not None:
        document["ledger"] = ledger
    trust = document["trust"]
    trust["policy"] = str((folder / trust["policy"]).resolve())
    trust["bundle_directories"] = [str((folder / entry).resolve()) for entry in trust["bundle_directories"]]
    return document
