"""What a family says of a response that it cannot have."""

from __future__ import annotations

import numpy as np
import pytest

from memagic import CommandError
from memagic.commands import response
from memagic.commands.model import kind_and_options
from memagic.commands.response import Response, checked_response
from memagic.spec.parser import parse_command


@pytest.mark.parametrize("own", ["recode it", None])
def test_a_hint_of_the_check_is_kept(monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    """What to make of 1 and 2 is told where the check itself has no hint."""

    def check(name: str, y: np.ndarray, span: tuple[int, int]) -> Response:
        raise CommandError(459, f"{name} is not to be had", span=span, hint=own)

    monkeypatch.setitem(response._CHECKS, "bernoulli", check)
    kind, _ = kind_and_options(parse_command("melogit win x || g:"))
    with pytest.raises(CommandError, match="win is not to be had") as caught:
        checked_response(kind, "win", np.array([1.0, 2.0]), 1.0, (8, 11))
    made = 'no value of it is 0; make it 0 and 1: df["win"] = df["win"].map({1: 0, 2: 1})'
    assert caught.value.hint == (own or made)
