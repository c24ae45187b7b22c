import json

import pytest
from click.testing import CliRunner

from stepdown.adapters.inventory import Device, Inventory, InventoryError, ProviderVerdict
from stepdown.cli import probe as room
from stepdown.cli.probe import probe
from stepdown.domain.tiers import ExecutionProvider


def inventory(*, cpu: bool, memory_bytes: int | None = 8 << 30, reserved_cores: tuple[int, ...] = (2, 3)) -> Inventory:
    return Inventory(
        runtime_version="9.9",
        processor="Example 9000",
        processors=2,
        memory_bytes=memory_bytes,
        reserved_cores=reserved_cores,
        devices=(
            Device(name="NVIDIA L4", memory_bytes=24 << 30, warnings=("the driver asks for reset",)),
            Device(name="AMD Example", memory_bytes=None, warnings=()),
        ),
        providers=(
            ProviderVerdict(
                provider=ExecutionProvider.CUDA,
                compiled_in=True,
                usable=False,
                device="",
                why_not="libcudnn is missing",
            ),
            ProviderVerdict(
                provider=ExecutionProvider.CPU,
                compiled_in=True,
                usable=cpu,
                device="Example 9000 (1 thread)" if cpu else "",
                why_not="" if cpu else "broken",
            ),
        ),
    )


@pytest.mark.parametrize(("cpu", "code"), [(True, 0), (False, 1)])
def test_the_table_says_what_works_and_why_the_rest_does_not(
    monkeypatch: pytest.MonkeyPatch, *, cpu: bool, code: int
) -> None:
    monkeypatch.setattr(room, "take_inventory", lambda **_: inventory(cpu=cpu))
    ended = CliRunner().invoke(probe, env={"COLUMNS": "160"})
    assert ended.exit_code == code
    for said in (
        "CUDA",
        "libcudnn is missing",
        "ONNX Runtime 9.9",
        "2 processor(s)",
        "8.0 GiB of memory",
        "cores 2, 3 are kept for CPU tiers",
        "NVIDIA L4, 24 GiB",
        "asks for reset",
    ):
        assert said in ended.output


def test_a_machine_of_few_cores_keeps_none_back_and_unknown_memory_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "take_inventory", lambda **_: inventory(cpu=True, memory_bytes=None, reserved_cores=()))
    ended = CliRunner().invoke(probe, env={"COLUMNS": "160"})
    assert "no cores, being too few, are kept" in ended.output
    assert "of memory" not in ended.output


def test_json_holds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def take(**arguments: object) -> Inventory:
        asked.update(arguments)
        return inventory(cpu=True)

    monkeypatch.setattr(room, "take_inventory", take)
    ended = CliRunner().invoke(probe, ["--json", "--device", "1", "--timeout", "5"])
    read = json.loads(ended.output)
    assert read["providers"][0] == {
        "provider": "CUDA",
        "compiled_in": True,
        "usable": False,
        "device": "",
        "why_not": "libcudnn is missing",
    }
    assert asked == {"device_id": 1, "timeout_s": 5.0}


def test_without_an_inventory_the_command_fails_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(**_: object) -> Inventory:
        raise InventoryError("no inventory: two wheels in one folder")

    monkeypatch.setattr(room, "take_inventory", take)
    ended = CliRunner().invoke(probe)
    assert ended.exit_code == 1
    assert "two wheels" in ended.output
