"""A bundle on disk with the public `model_signing` tool beside it, run as the separate program it is."""

import dataclasses
import json
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from stepdown.adapters.bundle_directory import BundleDirectory
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.errors import TrustError
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.public_keys import public_pem
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import Issued, SampleKey, rules_contents

# Starting the tool takes a second, running it a few milliseconds: one process runs it for every test, each time from
# its own beginning, as `python -m model_signing` would.
_LOOP = """
import contextlib, io, json, runpy, sys
for line in sys.stdin:
    sys.argv, said, code = ["model_signing", *json.loads(line)], io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_module("model_signing", run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            code = ended.code or 0
    print(json.dumps({"code": code, "said": said.getvalue()}), flush=True)
"""


class PublicTool:
    """The public tool's command line, in a process of its own environment."""

    def __init__(self, python: Path) -> None:
        command = [str(python), "-c", _LOOP]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, *arguments: str) -> bool:
        """Whether the tool is content; anything but its own yes or no fails the test."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert ("succeeded" if answer["code"] == 0 else "failed") in answer["said"], answer["said"]
        return bool(answer["code"] == 0)

    def close(self) -> None:
        with self._process as process:
            process.kill()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One bundle on disk, the public tool beside it, and files for the tool to use."""

    public_tool: PublicTool
    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "shelf" / "news2" / "1.2.0"

    @property
    def signature(self) -> Path:
        return self.bundle / "signatures" / "signer.sig"

    def lay_out(self) -> None:
        for name, content in rules_contents().items():
            path = self.bundle / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.signature.parent.mkdir()

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def tool(self, *arguments: str) -> bool:
        """Whether the public tool is content. Its last argument is always the bundle."""
        return self.public_tool.run(*arguments, "--signature", str(self.signature), str(self.bundle))

    def tool_signs(self, signer: SampleKey, *more: str) -> None:
        private_pem = signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        private_key = self.file("key.pem", private_pem)
        kind = "certificate" if "--signing_certificate" in more else "key"
        ignored = ("--ignore-paths", str(self.signature.parent))
        assert self.tool("sign", kind, "--private_key", private_key, *ignored, *more)

    def tool_verifies(self, signer: SampleKey, *more: str) -> bool:
        public_key = self.file("pub.pem", public_pem(signer.public_key))
        return self.tool("verify", "key", "--public_key", public_key, *more)

    def tool_verifies_certificate(self, *roots: Issued) -> bool:
        files = [self.certificate_file(root) for root in roots]
        return self.tool("verify", "certificate", *(word for file in files for word in ("--certificate_chain", file)))

    def certificate_file(self, issued: Issued) -> str:
        name = f"{issued.certificate.serial_number:x}.pem"
        return self.file(name, issued.certificate.public_bytes(Encoding.PEM))

    def we_verify(self, policy: TrustPolicy) -> VerifiedBundle:
        files = BundleDirectory(roots=(self.folder / "shelf",)).read("news2", "1.2.0")
        return verify_bundle("news2", "1.2.0", files, policy, time.time())

    def we_refuse(self, policy: TrustPolicy) -> str:
        with pytest.raises(TrustError) as refused:
            self.we_verify(policy)
        return refused.value.rule
