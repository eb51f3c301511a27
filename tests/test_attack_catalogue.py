"""The catalogue of attacks is complete, and the page about it is up to date."""

import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "isolated"))
import attack_page  # noqa: E402
import attacks  # noqa: E402
import planted  # noqa: E402
from attacks import catalogue  # noqa: E402

pytestmark = pytest.mark.c
NUMBERS = catalogue.numbers()


def test_there_are_as_many_numbers_as_there_were():
    assert len(NUMBERS) == len(set(NUMBERS)) == 133
    assert {number[0] for number in NUMBERS} == set(catalogue.FAMILIES)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_has_a_test_or_a_reason(number):
    named = [n for n in attacks.attacks() if catalogue.number_of(n) == number]
    elsewhere = catalogue.ELSEWHERE.get(number)
    reason = catalogue.REASONS.get(number)
    assert bool(named or elsewhere) != bool(reason)
    assert reason or catalogue.WHAT[number]


def test_every_attack_has_a_number():
    unknown = {catalogue.number_of(n) for n in attacks.attacks()} - set(NUMBERS)
    assert not unknown


@pytest.mark.parametrize("number", catalogue.ELSEWHERE)
def test_what_is_elsewhere_is_there(number):
    file, name = catalogue.ELSEWHERE[number]
    assert f"def {name}" in (HERE / file).read_text()


def test_known_bugs_name_attacks():
    for bug, numbers in catalogue.KNOWN_BUGS.items():
        assert set(numbers.split()) <= set(NUMBERS), bug


@pytest.mark.parametrize("plant", planted.plants(), ids=lambda plant: plant.name)
def test_plants_are_of_this_source(plant):
    """That they compile and that their attacks fail shows `make planted`."""
    text = (planted.ROOT / "src" / plant.file).read_text()
    assert plant.planted_in(text) != text
    if "::" in plant.attack:
        file, name = plant.attack.split("::")
        assert f"def {name.split('[')[0]}" in (HERE / file).read_text()
    else:
        assert plant.attack in attacks.attacks()


def test_a_plant_that_does_not_fit_is_an_error():
    plant = planted.plants()[0]
    for text in ("", plant.find * 2):
        with pytest.raises(ValueError, match="times"):
            plant.planted_in(text)


def test_the_page_is_up_to_date():
    page = attack_page.PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| ([A-Z]\d+) \|", page, re.MULTILINE) == NUMBERS
    assert page == attack_page.page(), "run python tests/attack_page.py"
