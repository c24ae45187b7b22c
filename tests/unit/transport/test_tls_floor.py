import os
import subprocess
import sys

from stepdown.transport.tls_floor import CIPHER_VARIABLE, UNUSABLE_CIPHER


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, without the floor that this one has."""
    plain = {name: value for name, value in os.environ.items() if name not in {CIPHER_VARIABLE, "GRPC_VERBOSITY"}}
    return subprocess.run(
        [sys.executable, "-c", f"import os, sys\nfrom stepdown.transport.tls_floor import *\n{code}"],
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_floor_leaves_tls_1_2_one_cipher_that_cannot_be_negotiated_and_imports_no_grpc() -> None:
    ended = run(
        "require_tls_1_3(); print(os.environ[CIPHER_VARIABLE], os.environ['GRPC_VERBOSITY'], 'grpc' in sys.modules)"
    )
    assert ended.stdout.split() == [UNUSABLE_CIPHER, "ERROR", "False"]


def test_another_cipher_list_is_replaced_and_another_verbosity_is_kept() -> None:
    code = "require_tls_1_3(); print(os.environ[CIPHER_VARIABLE], os.environ['GRPC_VERBOSITY'])"
    ended = run(code, **{CIPHER_VARIABLE: "ECDHE-RSA-AES128-GCM-SHA256", "GRPC_VERBOSITY": "DEBUG"})
    assert ended.stdout.split() == [UNUSABLE_CIPHER, "DEBUG"]


def test_it_is_too_late_once_grpc_is_loaded() -> None:
    ended = run("import grpc; require_tls_1_3()")
    assert ended.returncode != 0
    assert "TLS 1.2 would be accepted" in ended.stderr


def test_laying_it_again_is_harmless_even_after_grpc_was_loaded() -> None:
    ended = run("require_tls_1_3(); import grpc; require_tls_1_3(); print('laid')")
    assert ended.stdout.strip() == "laid"
