"""Data in a Dask DataFrame: fits on the workers of a cluster of two processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.data.partitions import PatientClient
from memagic.errors import Break
from memagic.magics.frames import find_frame, frames_in, size_of
from memagic.results import MEResults

distributed = pytest.importorskip("distributed")
dd = pytest.importorskip("dask.dataframe")

pytestmark = [pytest.mark.dask, pytest.mark.slow]


def make_frame() -> pd.DataFrame:
    """Fifty groups of three subgroups; columns for all that a command may name."""
    rng = np.random.default_rng(4)
    groups, size = 50, 12
    n = groups * size
    data = pd.DataFrame({"g": np.repeat(np.arange(groups), size)})
    data["c"] = np.tile(np.repeat(np.arange(3), 4), groups)
    data["x"] = rng.normal(size=n)
    data["twice"] = 2.0 * data["x"] - 1.0
    data["f"] = rng.integers(1, 4, n)
    # One level is in the first partition alone.
    data["late"] = np.where(data["g"] < 5, 7, rng.integers(0, 2, n))
    data["word"] = pd.Categorical(np.array(["low", "mid", "top"])[data["f"] - 1], ["low", "mid", "top"])
    effect = rng.normal(size=groups)[data["g"]] + 0.5 * rng.normal(size=3 * groups)[3 * data["g"] + data["c"]]
    slope = 0.3 + 0.6 * rng.normal(size=groups)[data["g"]]
    eta = slope * data["x"] + 0.5 * (data["f"] == 2) + effect
    data["y"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    data["score"] = np.digitize(eta + rng.logistic(size=n), [-1.0, 1.0]) + 1
    data["weight"] = eta + rng.normal(size=n)
    data["count"] = rng.poisson(rng.gamma(1.5, np.exp(0.4 * eta) / 1.5))
    data["trials"] = rng.integers(1, 5, n)
    data["wins"] = rng.binomial(data["trials"], 1.0 / (1.0 + np.exp(-eta)))
    data["text"] = np.where(data["f"] == 1, "one", "other")
    data["rare"] = ((rng.random(n) < 0.03) & (data["y"] == 1)).astype(int)
    data["w"] = rng.uniform(0.5, 2.0, n)
    data["wg"] = rng.uniform(0.5, 2.0, groups)[data["g"]]
    data["f1"] = rng.integers(1, 4, n)
    data.loc[data.index % 37 == 0, "x"] = np.nan
    return data


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return make_frame()


@pytest.fixture(scope="module")
def client(new_processes: None) -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def in_parts(frame: pd.DataFrame, n: int = 3) -> Any:
    """Every group in one partition."""
    return dd.from_pandas(frame.set_index("g", drop=False).rename_axis("row"), npartitions=n, sort=True)


@pytest.fixture(scope="module")
def parts(frame: pd.DataFrame, client: Any) -> Any:
    return in_parts(frame)


FITS = (
    # A perfect predictor, a collinear column, a level that one partition has.
    "melogit y x i.f rare twice i.late || g:, intpoints(5)",
    "melogit y i.f##c.x || g: x, covariance(unstructured) intpoints(3)",
    "melogit y x || g:, vce(opg) intmethod(laplace)",
    "melogit y c.x#i.f if f < 3 & x < 1.5 || g: || c:, intpoints(3) vce(robust)",
    "meologit score x i.word || g:",
    "meglm weight x i.f || g: x",
    "meglm weight x, noconstant || g: || c:, vce(robust)",
    "menbreg count x, exposure(w) || g:, intpoints(5)",
    "mepoisson count x [fw=f1] || g:, startvalues(iv)",
    "melogit wins x || g:, binomial(trials) or",
    "melogit y x [pw=w] || g:, pweight(wg) intpoints(5)",
    "mepoisson count x i.f, offset(w) || g:, constraints(1) technique(bhhh 3 nr 20)",
    "meprobit y x || g:, from(x=.1) startgrid(.5 2) intpoints(3)",
    "melogit y x i.f",
)


@pytest.mark.parametrize("command", FITS)
def test_a_fit_on_workers_is_that_of_the_data_in_memory(
    command: str, frame: pd.DataFrame, parts: Any
) -> None:
    constraints = {1: "[count]2.f = .2"}
    here = memagic.run(command, frame, constraints=constraints)
    there = memagic.run(command, parts, constraints=constraints)
    assert there.converged
    np.testing.assert_allclose(there.params, here.params, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(there.bse, here.bse, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(there.cov_params(), here.cov_params(), rtol=1e-7, atol=1e-10)
    assert there.llf == pytest.approx(here.llf, rel=1e-10)
    assert list(there.params.index) == list(here.params.index)
    # Header, group table, notes, table and tests, as they are read.
    assert str(there) == str(here)
    assert str(there.dropped) == str(here.dropped)
    for name in ("N", "k", "k_f", "k_r", "ll_c", "chi2", "chi2_c", "df_m", "N_clust"):
        if name in here.e:
            assert there.e[name] == pytest.approx(here.e[name], rel=1e-8), name
    assert there.e["cmdline"] == here.e["cmdline"]


def refused(command: str, data: Any) -> CommandError:
    with pytest.raises(CommandError) as raised:
        memagic.run(command, data)
    return raised.value


@pytest.mark.parametrize(
    ("command", "what", "place"),
    [
        ("melogit y x || _all: R.f || g:", "crossed effects", "R.f"),
        ("melogit y x in 1/100 || g:", "in range", "in 1/100"),
        ("melogit y x if _n > 5 || g:", "numbers of rows", "_n"),
        ("melogit y x if x[_n-1] < 1 || g:", "numbers of rows", "x[_n-1]"),
        ("melogit y x || g:, vce(cluster g)", "vce(cluster)", "vce(cluster g)"),
        ("melogit y x ib(freq).f || g:", "the most frequent level as a base", "ib(freq).f"),
        ("melogit y x [fw=f1] || g:, vce(robust)", "vce(robust) with frequency weights", "vce(robust)"),
        ("melogit y x || _all:", "one group of all observations", "_all"),
    ],
)
def test_what_needs_all_rows_in_one_place(command: str, what: str, place: str, parts: Any) -> None:
    error = refused(command, parts)
    assert (error.rc, error.message) == (198, f"{what}: this needs data in one place")
    assert error.span is not None
    assert command[slice(*error.span)] == place
    assert "compute()" in (error.hint or "")


def test_errors_are_those_of_data_in_memory(frame: pd.DataFrame, parts: Any) -> None:
    for command in (
        "melogit y nothere || g:",
        "melogit y i.x || g:",
        "melogit y x if x > 100 || g:",
        "melogit y text || g:",
        "meologit x f || g:",
        "mepoisson weight x || g:",
        "melogit wins x || g:, binomial(1)",
        "melogit y y || g:",
        "melogit y x if y == 1 || g:",
        "melogit y x || g: 9.f",
        "melogit y x [pw=w] || g:, vce(oim)",
        "melogit y x || g: x, intpoints(2000)",
    ):
        here, there = refused(command, frame), refused(command, parts)
        assert (there.rc, there.message, there.span) == (here.rc, here.message, here.span), command


def test_a_group_in_two_partitions(frame: pd.DataFrame, client: Any) -> None:
    torn = dd.from_pandas(frame.sample(frac=1.0, random_state=1), npartitions=3, sort=False)
    error = refused("melogit y x || g:", torn)
    assert error.rc == 198
    assert error.message.endswith("is in more than one partition")
    assert error.hint == 'df.shuffle("g") puts every g into one'
    mended = memagic.run("melogit y x || g:", torn.shuffle("g"))
    expected = memagic.run("melogit y x || g:", frame)
    np.testing.assert_allclose(mended.params, expected.params, rtol=1e-8, atol=1e-9)


def test_partitions_with_other_categories(frame: pd.DataFrame, client: Any) -> None:
    texts = frame.assign(word=frame["word"].astype(str))
    first, second = texts[texts["g"] < 20], texts[texts["g"] >= 20]
    first = first[first["word"] != "low"]
    apart = dd.concat([dd.from_pandas(one, npartitions=1) for one in (first, second)])
    apart["word"] = apart["word"].astype("category")
    error = refused("melogit y i.word || g:", apart)
    assert error.message == "partitions have other categories of word"
    assert error.hint == 'df.categorize(columns=["word"]) gives all partitions the same'
    fit = memagic.run("melogit y i.word || g:", apart.categorize(columns=["word"]))
    expected = memagic.run("melogit y i.word || g:", pd.concat([first, second]).astype({"word": "category"}))
    assert str(fit) == str(expected)


def test_partitions_without_rows_of_the_sample(frame: pd.DataFrame, client: Any) -> None:
    command = "melogit y x i.f if g > 20 || g:"
    assert str(memagic.run(command, in_parts(frame, 6))) == str(memagic.run(command, frame))


def test_what_is_there_after_the_fit(frame: pd.DataFrame, parts: Any, tmp_path: Path) -> None:
    session = Session(parts)
    fit = session.run("melogit y x i.f || g:")
    assert isinstance(fit, MEResults)
    expected = memagic.run("melogit y x i.f || g:", frame)
    rows = frame.head(20)
    for statistic, options in (("xb", {}), ("mu", {"conditional": "fixedonly"})):
        there, here = (one.predict(statistic, rows, **options) for one in (fit, expected))
        np.testing.assert_allclose(there, here, rtol=1e-8)
    reference = Session(frame)
    reference.run("melogit y x i.f || g:")
    for text in ("estat icc", "test x 2.f", "lincom x + 2.f", "melogit, or", "estat group"):
        assert str(session.run(text)) == str(reference.run(text)), text
    smaller = session.run("melogit y x || g:")
    assert isinstance(smaller, MEResults)
    test = smaller.lrtest(fit, force=True)
    assert test.chi2 == pytest.approx(2.0 * (fit.llf - smaller.llf))
    for text in ("predict p", "margins, dydx(x)", "estat summarize", "quadchk"):
        with pytest.raises(CommandError) as raised:
            session.run(text)
        assert raised.value.rc in (198, 322), text
    with pytest.raises(CommandError, match="the estimation sample is not there") as raised:
        fit.predict("mu")
    assert "Dask" in (raised.value.hint or "")
    fit.save(tmp_path / "fit")
    assert str(memagic.load(tmp_path / "fit.mefit")) == str(fit)
    assert session.last is smaller


def test_a_notebook_uses_it_by_its_name(parts: Any, frame: pd.DataFrame) -> None:
    assert find_frame("parts", {"parts": parts}) is parts
    assert list(frames_in({"parts": parts, "frame": frame})) == ["parts", "frame"]
    assert size_of(parts) == "3 partitions, 18 columns"
    assert size_of(frame) == "600 rows, 18 columns"
    session = Session()
    session.use(parts, "parts")
    assert str(session.in_use) == "(parts)  3 partitions, 18 columns"
    assert session.data is None
    with pytest.raises(CommandError, match="this needs data in one place"):
        session.run("bysort f: melogit y x || g:")
    with pytest.raises(CommandError, match="this needs data in one place"):
        session.explore_start("melogit y x || g:")


def test_e_has_the_signature_of_the_data(parts: Any, frame: pd.DataFrame) -> None:
    one, again = (memagic.run("melogit y x || g:, noestimate", parts).e["datasignature"] for _ in range(2))
    assert one == again
    here = memagic.run("melogit y x || g:, noestimate", frame).e["datasignature"]
    assert one.split(":")[:2] == here.split(":")[:2]
    changed = in_parts(frame.assign(x=frame["x"] + 1.0))
    assert memagic.run("melogit y x || g:, noestimate", changed).e["datasignature"] != one


def test_an_interrupt_keeps_the_session_and_takes_back_what_waits(
    parts: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(parts)
    before = session.run("melogit y x || g:, noestimate")
    gather, cancel = client.gather, client.cancel
    calls: list[int] = []
    cancelled: list[Any] = []

    def interrupted(futures: list[Any]) -> Any:
        calls.append(len(futures))
        if len(calls) == 16:
            raise KeyboardInterrupt
        return gather(futures)

    monkeypatch.setattr(distributed.Client, "gather", lambda self, futures: interrupted(futures))
    monkeypatch.setattr(
        distributed.Client, "cancel", lambda self, futures: (cancelled.extend(futures), cancel(futures))
    )
    with pytest.raises(Break) as raised:
        session.run("melogit y x i.f || g:")
    assert isinstance(raised.value.so_far, MEResults)
    assert "the fit was interrupted" in str(raised.value.so_far)
    assert len(cancelled) >= 3
    assert session.last is before
    monkeypatch.undo()
    assert isinstance(session.run("melogit y x i.f || g:"), MEResults)


def test_without_a_client(frame: pd.DataFrame, parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise ValueError("No global client found")

    monkeypatch.setattr(distributed, "get_client", none)
    error = refused("melogit y x || g:", parts)
    assert (error.rc, error.message) == (198, "a Dask DataFrame needs a client")


def test_the_workers_as_an_executor(frame: pd.DataFrame, client: Any) -> None:
    many = pd.concat([frame.assign(g=frame["g"] + 100 * k) for k in range(3)], ignore_index=True)
    expected = memagic.run("melogit y x || g:", many)
    found = memagic.run("melogit y x || g:", many, executor=client.get_executor())
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-8)
    assert str(found) == str(expected)


def test_a_worker_that_is_lost_is_made_up_for(
    frame: pd.DataFrame, parts: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = next(iter(client.run(os.getpid).values()))
    gather = PatientClient.gather
    calls: list[int] = []

    def gather_and_lose(self: PatientClient, futures: list[Any]) -> list[Any]:
        calls.append(len(futures))
        if len(calls) == 14:
            os.kill(process, signal.SIGKILL)
        return gather(self, futures)

    monkeypatch.setattr(PatientClient, "gather", gather_and_lose)
    found = memagic.run("melogit y x i.f || g:", parts)
    assert len(calls) > 14
    np.testing.assert_allclose(found.params, memagic.run("melogit y x i.f || g:", frame).params, rtol=1e-7)
    client.wait_for_workers(2, timeout=30)
