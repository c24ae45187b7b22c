"""LOINC codes are checked by their own digit."""

import pytest

from stepdown.clinical.loinc import check_digit, is_well_formed


@pytest.mark.parametrize("code", ["8867-4", "59408-5", "3150-0", "67775-7", "777-3", "11558-4", "2019-8", "2951-2"])
def test_a_published_code_is_well_formed(code: str) -> None:
    assert is_well_formed(code)


@pytest.mark.parametrize(
    "code", ["3150-6", "8867-5", "8867", "-4", "8867-44", "88-67-4", " 8867-4", "8867-4\n", "12345678-9", "\u0668867-4"]
)
def test_a_mistyped_one_is_not(code: str) -> None:
    assert not is_well_formed(code)


def test_exchanging_two_neighbouring_digits_is_noticed() -> None:
    assert check_digit("8867") != check_digit("8876")
    assert check_digit("59408") != check_digit("59480")
