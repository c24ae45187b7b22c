"""Mutated bundles, signatures, manifests, policies and provenances, by the hundred thousand, each from a seed.

Every execution must end in an acceptance of what is good or a TrustError with a known rule and a printable text; it may
not hang, and memory may not grow. The last line says what was seen; the exit code is 1 when anything was wrong.
"""

import argparse
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepdown.domain.errors import TrustError
from stepdown.trust.contents import examine_contents
from stepdown.trust.envelope import parse_envelope
from stepdown.trust.manifest import parse_manifest
from stepdown.trust.policy import named_files, parse_trust_policy
from stepdown.trust.provenance import parse_provenance
from stepdown.trust.refusal import TrustRule
from stepdown.trust.verification import explain_bundle, verify_bundle
from tests.unit.trust.samples import (
    MODEL_MANIFEST,
    NOW_S,
    OFFICER,
    POLICY_HEAD,
    SAFETY,
    TRAINER,
    authority,
    key_files,
    leaf,
    model_contents,
    policy,
    signed,
)

ROOT = authority()
ANY = '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer", "safety"]\n'
DENYING = '[denylist]\nkey_ids = ["ab"]\n[[denylist.certificates]]\nissuer = "CN=x"\nserial = "1"\n'
BY = policy(TRAINER, OFFICER, SAFETY, ANY, roots=[ROOT.certificate])
KEYS = key_files([ROOT.certificate])
POLICY = (POLICY_HEAD + "edition = 1\n" + TRAINER + 'roles = ["a"]\n' + OFFICER + SAFETY + ANY + DENYING).encode()
CONTENTS = model_contents()
FILES = {
    **signed(CONTENTS),
    "signatures/safety.sig": signed(CONTENTS, signer="safety", certificates=(leaf(ROOT, owner="safety").certificate,))[
        "signatures/safety.sig"
    ],
}
SLOW_S = 10.0
_TOKENS = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[",
    b"\\u0000",
    b"\x00",
    b"\xff",
    b"..",
    b"/",
    b"1e999",
    b"-1",
    b"null",
    b"=",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is fed, and what it is fed with to begin with."""

    feed: Callable[[bytes], object]
    good: bytes


def bundle_target(name: str) -> Target:
    """One file of a good bundle, the others as they are: verified, and explained."""

    def feed(text: bytes) -> None:
        files = {**FILES, name: text}
        explain_bundle("sepsis-full", "1.0.0", files, BY, NOW_S)
        verify_bundle("sepsis-full", "1.0.0", files, BY, NOW_S)
        if text != FILES[name]:
            raise AssertionError("a changed bundle was accepted")

    return Target(feed=feed, good=FILES[name])


def policy_feed(text: bytes) -> None:
    """As a server reads a policy."""
    named_files(text)
    parse_trust_policy(text, KEYS)


def targets() -> Mapping[str, Target]:
    """Every target, by name."""
    files = {f"bundle: {name}": bundle_target(name) for name in FILES}
    return {
        **files,
        "signature": Target(feed=lambda text: parse_envelope(text, what="x"), good=FILES["signatures/safety.sig"]),
        "manifest": Target(feed=parse_manifest, good=MODEL_MANIFEST.encode()),
        "policy": Target(feed=policy_feed, good=POLICY),
        "provenance": Target(feed=parse_provenance, good=CONTENTS["provenance.json"]),
        "unsigned contents": Target(
            feed=lambda text: examine_contents({**CONTENTS, "provenance.json": text}), good=CONTENTS["provenance.json"]
        ),
    }


def mutated(good: bytes, chance: random.Random) -> bytes:
    """One to eight changes: bits, bytes, cuts, repetitions, tokens, pieces moved elsewhere."""
    text = bytearray(good)
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((1, 1, 2, 8, 64, 512)))
        piece = bytes(text[start:end])
        replacement = chance.choice(
            (
                bytes(byte ^ (1 << chance.randrange(8)) for byte in piece[:1]) + piece[1:],
                b"",
                piece * chance.choice((2, 3, 50)),
                chance.choice(_TOKENS),
                chance.randbytes(len(piece)),
                piece[::-1],
            )
        )
        text[start:end] = replacement
    return bytes(text)


def run(executions: int, seed: int) -> int:
    """Feed the targets in turn; returns how many executions were wrong."""
    every = tuple(targets().items())
    ended: Counter[str] = Counter()
    wrong, slowest_s, begun_kib = 0, 0.0, 0
    for number in range(executions):
        name, target = every[number % len(every)]
        text = mutated(target.good, random.Random(f"{seed}/{number}"))
        begun_s = time.monotonic()
        try:
            target.feed(text)
            ended["accepted"] += 1
        except TrustError as error:
            ended["refused"] += 1
            if error.rule not in set(TrustRule) or not error.detail.isprintable():
                wrong += _report(seed, number, name, error)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            wrong += _report(seed, number, name, error)
        slowest_s = max(slowest_s, time.monotonic() - begun_s)
        if number == min(20_000, executions // 2):
            begun_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun_kib
    sys.stdout.write(
        f"{executions} executions over {len(every)} targets from seed {seed}: {dict(ended)}, {wrong} wrong, "
        f"slowest {slowest_s:.2f} s, memory grew by {grown_kib} KiB after warming up\n"
    )
    return wrong + (slowest_s > SLOW_S)


def _report(seed: int, number: int, name: str, error: Exception) -> int:
    sys.stdout.write(f"seed {seed}/{number}, {name}: {type(error).__name__}: {error!a}" + "\n")
    return 1


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(1 if run(arguments.executions, arguments.seed) else 0)


if __name__ == "__main__":
    main()
