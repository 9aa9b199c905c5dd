"""Domains check themselves, conditions decide what is active, and a grid is complete."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsweep.space import Choice, Fixed, Float, Int, Parameter, Space, range_faults


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Float(0.5, 0.1), r"low <= high"),
        (lambda: Float(0.0, 0.1, log=True), r"low > 0"),
        (lambda: Float(0.0, math.inf), r"finite"),
        (lambda: Float(0.1, 0.5, step=0.3), r"reach"),
        (lambda: Float(0.1, 0.5, step=1.0), r"reach"),
        (lambda: Float(0.1, 0.5, step=0.0), r"step > 0"),
        (lambda: Float(0.1, 0.5, log=True, step=0.1), r"exclude each other"),
        (lambda: Float(0.0, 1.0, step=1e-9), r"<= 1000000"),
        (lambda: Int(1, 10, step=4), r"reach"),
        (lambda: Choice(()), r"at least one"),
        (lambda: Choice((1, 2, 1)), r"must differ"),
        (lambda: Space((Parameter("a", Fixed(1)), Parameter("a", Fixed(2)))), r"must differ"),
        (lambda: Space((Parameter("a", Fixed(1), {"b": (1,)}),)), r"must name a parameter"),
    ],
)
def test_refuses_what_makes_no_sense(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_every_fault_of_a_range_is_told():
    assert [fault.key for fault in range_faults(0.0, -1.0, log=True, step=0.5)] == [
        "high",
        "low",
        "step",
    ]


def test_true_is_not_one():
    assert Choice((1, True)).options == (1, True)
    assert not Fixed(1).contains(True)
    assert not Int(0, 3).contains(True)


def test_contains_heeds_ends_steps_and_types():
    assert Float(0.1, 0.5, step=0.1).contains(0.3)
    assert not Float(0.1, 0.5, step=0.1).contains(0.35)
    assert Float(1e-5, 1e-3, log=True).contains(1e-5)
    assert not Float(0.0, 1.0).contains(math.nan)
    assert Int(8, 32, step=8).contains(16.0)
    assert not Int(8, 32, step=8).contains(12)
    assert not Int(8, 32).contains(math.inf)
    assert not Int(8, 32).contains("16")


def test_stepped_ranges_list_their_values():
    assert Float(0.1, 0.5, step=0.1).grid() == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert list(Int(8, 32, step=8).grid()) == [8, 16, 24, 32]
    assert Float(0.1, 0.5).grid() is None
    assert Float(0.5, 0.5, step=0.1).grid() == (0.5,)


SPACE = Space(
    (
        Parameter("decay", Choice((0.1, 0.2)), {"optimizer": ("adamw",)}),
        Parameter("optimizer", Choice(("adam", "adamw"))),
        Parameter("epochs", Fixed(3)),
    )
)


def test_parameters_come_after_their_conditions():
    assert [p.name for p in SPACE.parameters] == ["optimizer", "epochs", "decay"]
    assert [p.name for p in SPACE.searched] == ["optimizer", "decay"]


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="circle"):
        Space((Parameter("a", Fixed(1), {"b": (1,)}), Parameter("b", Fixed(1), {"a": (1,)})))


def test_the_grid_heeds_conditions():
    assert list(SPACE.grid()) == [
        {"optimizer": "adam", "epochs": 3},
        {"optimizer": "adamw", "epochs": 3, "decay": 0.1},
        {"optimizer": "adamw", "epochs": 3, "decay": 0.2},
    ]
    assert SPACE.size == 3


def test_a_continuous_space_has_no_grid():
    space = Space((Parameter("a", Float(0.0, 1.0)), Parameter("b", Choice((1, 2)))))
    assert space.continuous == ("a",)
    assert space.size is None
    with pytest.raises(ValueError, match="'a'"):
        space.grid()


def test_a_huge_grid_is_counted_and_walked_without_being_built():
    space = Space(
        (
            Parameter("a", Int(1, 10**12)),
            Parameter("b", Float(0.0, 1.0, step=1e-5)),
            Parameter("c", Int(1, 10**30), {"a": (7,)}),
        )
    )
    assert space.size == (10**12 - 1 + 10**30) * 100_001
    assert list(itertools.islice(space.grid(), 2)) == [{"a": 1, "b": 0.0}, {"a": 1, "b": 1e-5}]


@st.composite
def spaces(draw):
    """Spaces of up to four parameters, later ones under conditions on earlier ones."""
    domains = (
        st.sampled_from([Choice(("x", "y", "z")), Choice((1, True, 2))]),
        st.sampled_from([Int(1, 4), Float(0.0, 0.3, step=0.1)]),
        st.sampled_from([Fixed(1), Choice(("u", "v"))]),
        st.sampled_from([Int(0, 4, step=2), Choice((1, 2, 3))]),
    )
    parameters = []
    for name, domain in zip("abcd", domains, strict=True):
        when = {}
        for earlier in parameters:
            if draw(st.booleans()):
                values = draw(st.sets(st.integers(0, earlier.domain.count - 1), min_size=1))
                when[earlier.name] = tuple(earlier.domain.grid()[index] for index in values)
        parameters.append(Parameter(name, draw(domain), when))
    return Space(tuple(parameters))


@given(space=spaces())
def test_the_size_is_the_number_of_points_and_no_two_are_equal(space):
    points = [repr(sorted(point.items())) for point in space.grid()]
    assert space.size == len(points)
    assert len(set(points)) == len(points)
    assert all(space.outside(point) == {} for point in space.grid())


def test_a_range_of_one_number_is_not_continuous():
    space = Space((Parameter("a", Float(0.5, 0.5)), Parameter("b", Float(0.5, 0.5, step=0.1))))
    assert space.continuous == ()
    assert list(space.grid()) == [{"a": 0.5, "b": 0.5}]


@pytest.mark.parametrize(
    ("value", "nearest"),
    [(0.1 + 0.1 + 0.1, 0.3), (0.34, 0.3), (0.36, 0.4), (-1.0, 0.1), (9.0, 0.5)],
)
def test_a_stepped_range_spells_a_value_one_way(value, nearest):
    domain = Float(0.1, 0.5, step=0.1)
    assert domain.nearest(value) == nearest
    assert nearest in domain.grid()


def test_steps_of_long_numbers_stay_within_their_range():
    domain = Float(0.12345678901234567, 1.1234567890123456, step=0.25)
    assert [domain.contains(value) for value in domain.grid()] == [True] * 5


@pytest.mark.parametrize(
    ("domain", "number"),
    [
        (Fixed(3), 3),
        (Fixed("adam"), None),
        (Choice((2, "all", 7)), 7),
        (Choice((True, False)), None),
        (Float(0.1, 0.5), 0.5),
        (Int(1, 9), 9),
    ],
)
def test_the_largest_number_of_a_parameter(domain, number):
    space = Space((Parameter("a", domain),))
    assert space.largest("a") == number
    assert space.largest("b") is None


def test_outside_says_why():
    assert SPACE.outside({"optimizer": "adam", "epochs": 3}) == {}
    reasons = SPACE.outside({"optimizer": "adam", "decay": 0.1, "epochs": 4, "other": 1})
    assert reasons == {
        "epochs": "4 is not 3",
        "decay": "has no effect unless optimizer is adamw",
        "other": "is not a parameter of the space",
    }
    assert SPACE.outside({"optimizer": "adamw", "epochs": 3}) == {"decay": "has no value"}


def test_project_keeps_what_is_active():
    values = {"optimizer": "adam", "decay": 0.1, "dropout": 0.5}
    assert SPACE.project(values) == {"optimizer": "adam", "epochs": 3}
    with pytest.raises(KeyError):
        SPACE.project({"optimizer": "adamw"})


def test_equal_spaces_are_equal_and_can_be_hashed():
    again = Space(tuple(Parameter(p.name, p.domain, dict(p.when)) for p in SPACE.parameters))
    assert again == SPACE
    assert hash(again) == hash(SPACE)
