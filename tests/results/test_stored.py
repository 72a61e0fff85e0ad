"""What a fit stores under the manual's names."""

from __future__ import annotations

import numpy as np

import memagic


def test_categories_of_an_ordinal_response() -> None:
    fit = memagic.run("meologit children age", data="bangladesh")
    assert fit.e["k_cat"] == 4
    assert np.array_equal(fit.e["cat"], [[0, 1, 2, 3]])
    assert "k_cat" not in memagic.run("melogit c_use age", data="bangladesh").e
