"""Domains check themselves, conditions decide what is active, and a grid is complete."""

from __future__ import annotations

import math

import pytest

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
    assert SPACE.size(limit=100) == 3
    assert SPACE.size(limit=2) == 2


def test_a_continuous_space_has_no_grid():
    space = Space((Parameter("a", Float(0.0, 1.0)), Parameter("b", Choice((1, 2)))))
    assert space.continuous == ("a",)
    assert space.size(limit=10) is None
    with pytest.raises(ValueError, match="'a'"):
        space.grid()


def test_a_large_grid_is_counted_without_being_built():
    assert Space((Parameter("a", Int(1, 10**12)),)).size(limit=1000) == 1000


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
