from pathlib import Path

from scripts import skips
from tests.faults.control_groups import NEEDED

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit" name="test_passes"/>
<testcase classname="tests.unit" name="test_wide"><skipped type="pytest.skip" message="needs a GPU"/></testcase>
<testcase classname="tests.unit" name="test_kernel"><skipped type="pytest.skip" message="{group}"/></testcase>
<testcase classname="tests.unit" name="test_known_bug"><skipped type="pytest.xfail" message="a known bug"/></testcase>
{more}
</testsuite></testsuites>""".replace("{group}", f"{NEEDED} (memory): Permission denied")
ONE_TEST = (
    '<testcase classname="tests.a" name="test_x"><skipped type="pytest.skip" message="needs openssl"/></testcase>'
)
WHOLE_FILE = """<testcase classname="" name="tests.faults.test_y"><skipped message="collection skipped">('a/path.py', 7,
'Skipped: needs softhsm2')</skipped></testcase>"""


def verdict(tmp_path: Path, *more: str) -> int:
    paths = [tmp_path / f"{number}.xml" for number in range(len(more))]
    for path, cases in zip(paths, more, strict=True):
        path.write_text(REPORT.format(more=cases))
    return skips.main([str(path) for path in paths])


def test_a_missing_gpu_a_forbidden_control_group_and_an_expected_failure_are_none_to_refuse(
    tmp_path: Path,
) -> None:
    assert verdict(tmp_path, "") == 0


def test_a_missing_package_is(tmp_path: Path) -> None:
    assert verdict(tmp_path, ONE_TEST) == 1


def test_every_report_of_the_run_is_read(tmp_path: Path) -> None:
    assert verdict(tmp_path, "", ONE_TEST) == 1


def test_a_file_skipped_whole_is_named_with_its_reason(tmp_path: Path) -> None:
    assert verdict(tmp_path, WHOLE_FILE) == 1
    assert skips.skips(REPORT.format(more=WHOLE_FILE))[-1] == ("tests.faults.test_y", "needs softhsm2")
