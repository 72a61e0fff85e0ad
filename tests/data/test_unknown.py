"""Names that are no variables: what to type instead."""

import pandas as pd
import pytest

from memagic.data.unknown import unknown_hint
from memagic.data.variables import Variables
from memagic.errors import CommandError

COLUMNS = ["y", "Age", "my var", "x.1", "2nd", "district", 7]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("distrct", "did you mean district?"),
        ("age", "did you mean Age?"),
        ("my", 'a name has no blanks or signs; rename it: df.rename(columns={"my var": "my_var"})'),
        ("x", 'a name has no blanks or signs; rename it: df.rename(columns={"x.1": "x_1"})'),
        ("nan", "a missing value is a period: type x == . or missing(x)"),
        ("true", "true is 1 and false is 0: type x == 1"),
        ("nocons", "noconstant is an option, and options follow a comma"),
        ("or", "or is an option, and options follow a comma"),
        ("zzz", None),
    ],
)
def test_hints(name, hint):
    assert unknown_hint(name, COLUMNS) == hint


def test_columns_without_names():
    assert "add_prefix" in (unknown_hint("x", range(3)) or "")
    assert unknown_hint("x", []) is None


def test_the_hint_is_the_errors():
    with pytest.raises(CommandError) as caught:
        Variables(pd.DataFrame({"my var": [1]})).numbers("my", (3, 5))
    assert (caught.value.rc, caught.value.message) == (111, "variable my not found")
    assert caught.value.span == (3, 5)
    assert 'df.rename(columns={"my var": "my_var"})' in caught.value.hint
    renamed = pd.DataFrame({"my var": [1]}).rename(columns={"my var": "my_var"})
    assert list(Variables(renamed).numbers("my_var")) == [1]
