"""What the estimation commands accept and refuse, and what they hand on."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import Session
from memagic.commands import estimate as estimation
from memagic.engine.events import Listener
from memagic.engine.fit import Fit, NotFeasible, Settings
from memagic.engine.problem import Problem
from memagic.errors import CommandError
from memagic.results import MEResults


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n = 90
    group = np.repeat(np.arange(9), 10)
    eta = 0.4 * rng.normal(size=9)[group]
    m = rng.integers(3, 7, size=n)
    return pd.DataFrame(
        {
            "y": 3 + eta + 0.3 * rng.normal(size=n),
            "win": (eta + rng.logistic(size=n) > 0).astype(int),
            "count": rng.poisson(np.exp(eta)),
            "won": rng.binomial(m, 1 / (1 + np.exp(-eta))),
            "m": m,
            "x": rng.normal(size=n),
            "a": np.arange(n) % 2,
            "e": rng.integers(0, 5, size=n),
            "g": group,
            "h": np.arange(n) % 4,
        }
    )


def refused(command: str, frame: pd.DataFrame) -> CommandError:
    with pytest.raises(CommandError) as caught:
        memagic.run(command, data=frame)
    assert caught.value.text == command
    return caught.value


def marked(error: CommandError) -> str | None:
    """The part of the command that the carets are under."""
    assert error.text is not None
    return None if error.span is None else error.text[slice(*error.span)]


# --- families and links ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "family", "link", "title", "lines"),
    [
        ("meglm y x || g:", "gaussian", "identity", "GLM", ["Family: Gaussian", "Link:   Identity"]),
        ("meglm y x || g:, family(gaussian) link(log)", "gaussian", "log", "GLM", ["Link:   Log"]),
        ("meglm win x || g:, family(bernoulli)", "bernoulli", "logit", "GLM", ["Family: Bernoulli", "Logit"]),
        ("meglm win x || g:, family(bern) link(probit)", "bernoulli", "probit", "GLM", ["Link:   Probit"]),
        (
            "meglm win x || g:, f(be) l(cloglog)",
            "bernoulli",
            "cloglog",
            "GLM",
            ["Link:   Complementary log-log"],
        ),
        ("meglm win x || g:, family(binomial)", "binomial", "logit", "GLM", ["Family: Binomial"]),
        ("meglm won x || g:, family(binomial m)", "binomial", "logit", "GLM", ["Binomial variable: m"]),
        ("meglm won x || g:, family(binomial 6)", "binomial", "logit", "GLM", ["Binomial trials: 6"]),
        ("meglm won x || g:, f(bi 6) l(prob)", "binomial", "probit", "GLM", ["Link:   Probit"]),
        ("meglm count x || g:, family(poisson)", "poisson", "log", "GLM", ["Family: Poisson"]),
        ("meglm count x || g:, family(poisson) link(log)", "poisson", "log", "GLM", ["Link:   Log"]),
        ("melogit win x || g:", "bernoulli", "logit", "logistic regression", []),
        ("melogit won x || g:, binomial(m)", "binomial", "logit", "logistic regression", ["m"]),
        ("melogit won x || g:, binomial(6)", "binomial", "logit", "logistic regression", ["6"]),
        ("meprobit win x || g:", "bernoulli", "probit", "probit regression", []),
        ("mecloglog win x || g:", "bernoulli", "cloglog", "cloglog regression", []),
        ("mepoisson count x || g:", "poisson", "log", "Poisson regression", []),
    ],
)
def test_families_and_links(
    command: str, family: str, link: str, title: str, lines: list[str], frame: pd.DataFrame
) -> None:
    found = memagic.run(command, data=frame)
    assert found.converged
    assert (found.e["family"], found.e["link"]) == (family, link)
    assert found.e["title"] == f"Mixed-effects {title}"
    text = " ".join(found.to_text().split("----")[0].split())
    for line in lines:
        assert " ".join(line.split()) in text


@pytest.mark.parametrize(
    ("family", "link", "hint"),
    [
        ("gaussian", "logit", "family(gaussian) goes with link identity or log"),
        ("gaussian", "probit", "family(gaussian) goes with link identity or log"),
        ("gaussian", "cloglog", "family(gaussian) goes with link identity or log"),
        ("bernoulli", "identity", "family(bernoulli) goes with link logit or probit or cloglog"),
        ("bernoulli", "log", "family(bernoulli) goes with link logit or probit or cloglog"),
        ("binomial", "log", "family(binomial) goes with link logit or probit or cloglog"),
        ("poisson", "identity", "family(poisson) goes with link log"),
        ("poisson", "logit", "family(poisson) goes with link log"),
    ],
)
def test_pairs_that_do_not_go(family: str, link: str, hint: str, frame: pd.DataFrame) -> None:
    error = refused(f"meglm win x || g:, family({family}) link({link})", frame)
    assert (error.rc, error.message) == (198, f"family({family}) may not be combined with link({link})")
    assert (marked(error), error.hint) == (f"link({link})", hint)


def test_link_without_family(frame: pd.DataFrame) -> None:
    assert refused("meglm win x || g:, link(logit)", frame).rc == 198
    assert memagic.run("meglm y x || g:, link(log)", data=frame).e["family"] == "gaussian"


def test_same_model_through_either_command(frame: pd.DataFrame) -> None:
    pairs = [
        ("melogit win x || g:", "meglm win x || g:, family(bernoulli)"),
        ("melogit won x || g:, binomial(m)", "meglm won x || g:, family(binomial m) link(logit)"),
        ("mepoisson count x || g:", "meglm count x || g:, family(poisson)"),
    ]
    for short, long in pairs:
        one, other = memagic.run(short, data=frame), memagic.run(long, data=frame)
        np.testing.assert_array_equal(one.params, other.params)
        np.testing.assert_array_equal(one.cov_params(), other.cov_params())


def test_trials_of_one_number_or_a_variable(frame: pd.DataFrame) -> None:
    same = frame.assign(m=6)
    one = memagic.run("melogit won x || g:, binomial(6)", data=same)
    other = memagic.run("melogit won x || g:, binomial(m)", data=same)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-9)
    assert one.llf == pytest.approx(other.llf, abs=1e-9)


@pytest.mark.parametrize("word", ["0", "-2", "2.5"])
def test_number_of_trials(word: str, frame: pd.DataFrame) -> None:
    error = refused(f"melogit won x || g:, binomial({word})", frame)
    assert (error.rc, marked(error)) == (198, word)
    assert error.message == "the number of binomial trials must be a positive integer"


@pytest.mark.parametrize(
    "command",
    [
        "meglm y, noconstant || g:",
        "melogit win, noconstant || g:",
        "melogit win, noconstant || g:, intmethod(laplace)",
        "meprobit win, noconstant || g:, intmethod(ghermite)",
        "mepoisson count, noconstant || g: || h:",
        "meglm y, noconstant",
    ],
)
def test_equation_without_coefficients(command: str, frame: pd.DataFrame) -> None:
    found = memagic.run(command, data=frame)
    assert all(name.startswith("/var") for name in found.params.index)
    assert found.df_model == 0
    assert "(omitted)" in found.to_text()


# --- the response ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "changes", "rc", "message"),
    [
        ("melogit win x || g:", {"win": 0}, 2000, "outcome does not vary; remember:"),
        ("melogit win x || g:", {"win": 5}, 2000, "outcome does not vary; remember:"),
        ("melogit won x || g:, binomial(m)", {"won": 0}, 2000, "outcome does not vary"),
        ("melogit won x || g:, binomial(m)", {"won": 6, "m": 6}, 2000, "outcome does not vary"),
        (
            "melogit won x || g:, binomial(2)",
            {},
            459,
            "won must be a whole number between 0 and the number of trials",
        ),
        (
            "melogit y x || g:, binomial(9)",
            {},
            459,
            "y must be a whole number between 0 and the number of trials",
        ),
        (
            "melogit x a || g:, binomial(9)",
            {"x": -1},
            459,
            "x must be a whole number between 0 and the number of trials",
        ),
        ("mepoisson x a || g:", {}, 459, "x must be greater than or equal to zero"),
        ("mepoisson count x || g:", {"count": 0}, 498, "count is zero for all observations"),
        ("meglm y x || g:", {"y": 3}, 2000, "outcome does not vary: y is 3 throughout"),
    ],
)
def test_impossible_responses(
    command: str, changes: dict[str, int], rc: int, message: str, frame: pd.DataFrame
) -> None:
    error = refused(command, frame.assign(**changes))
    assert (error.rc, error.message.splitlines()[0]) == (rc, message)
    assert marked(error) == command.split()[1]


def test_trials_that_are_none(frame: pd.DataFrame) -> None:
    for trials in (0, 5.5):
        error = refused("melogit zero x || g:, binomial(k)", frame.assign(zero=0, k=trials))
        assert error.rc == 459


def test_success_is_all_but_zero(frame: pd.DataFrame) -> None:
    plain = memagic.run("melogit win x || g:", data=frame)
    other = memagic.run("melogit win x || g:", data=frame.assign(win=frame["win"] * -3.5))
    np.testing.assert_array_equal(plain.params, other.params)


def test_counts_that_are_no_counts(frame: pd.DataFrame) -> None:
    found = memagic.run("mepoisson half x || g:", data=frame.assign(half=frame["count"] + 0.5))
    note = "note: you are responsible for interpretation of noncount dep. variable."
    assert found.estimates.notes == (note,)


def test_too_few_observations(frame: pd.DataFrame) -> None:
    error = refused("meglm y x a in 1/3 || g:", frame)
    assert (error.rc, error.message) == (2001, "insufficient observations")
    assert error.hint == "3 observations, 3 coefficients"


# --- integration and maximization ------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that reach the engine."""
    settings_seen: list[Settings] = []
    fit = estimation.fit

    def listening(problem: Problem, settings: Settings, listener: Listener, *others: object) -> Fit:
        settings_seen.append(settings)
        return fit(problem, settings, listener)

    monkeypatch.setattr(estimation, "fit", listening)
    return settings_seen


@pytest.mark.parametrize(
    ("options", "method", "points"),
    [
        ("", "mvaghermite", 7),
        ("intpoints(3)", "mvaghermite", 3),
        ("intmethod(mcaghermite) intpoints(5)", "mcaghermite", 5),
        ("intm(mc) intp(1)", "mcaghermite", 1),
        ("intmethod(ghermite) intpoints(15)", "ghermite", 15),
        ("intmethod(laplace)", "laplace", None),
    ],
)
def test_integration(
    options: str, method: str, points: int | None, frame: pd.DataFrame, heard: list[Settings]
) -> None:
    found = memagic.run(f"melogit win x || g:, {options}", data=frame)
    assert heard[0].method == method
    assert (found.estimates.method, found.estimates.n_points) == (method, points)
    if points is not None:
        assert heard[0].n_points == points
        assert found.e["n_quad"] == points
    assert f"Integration method: {method}" in found.to_text()
    assert ("Integration pts." in found.to_text()) == (points is not None)


def test_one_point_of_modes_is_the_laplacian(frame: pd.DataFrame) -> None:
    one = memagic.run("melogit win x || g:, intmethod(mcaghermite) intpoints(1)", data=frame)
    other = memagic.run("melogit win x || g:, intmethod(laplace)", data=frame)
    np.testing.assert_allclose(one.params, other.params, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "same", "points"), [("pcaghermite", "mcaghermite", 7), ("pclaplace", "laplace", None)]
)
@pytest.mark.parametrize(
    "command",
    [
        "melogit win x || g:,",
        "mepoisson count x || g:,",
        "melogit won x, binomial(m) || g:,",
        "meglm win x || g:, family(bernoulli)",
    ],
)
def test_pinheiro_and_chao(
    name: str, same: str, points: int | None, command: str, frame: pd.DataFrame
) -> None:
    found = memagic.run(f"{command} intmethod({name})", data=frame)
    other = memagic.run(f"{command} intmethod({same})", data=frame)
    assert found.converged
    assert found.llf == other.llf
    pd.testing.assert_series_equal(found.params, other.params, check_exact=True)
    pd.testing.assert_frame_equal(found.cov_params(), other.cov_params(), check_exact=True)
    # Under its own name everywhere: in e(), in the header, and in no other word of the output.
    assert found.e["intmethod"] == name
    assert found.e.get("n_quad") == points
    assert f"Integration method: {name}" in found.to_text()
    assert ("Integration pts." in found.to_text()) == (points is not None)
    assert re.sub(" +", " ", found.to_text().replace(name, same)) == re.sub(" +", " ", other.to_text())


def test_stopping_rules_reach_the_engine(frame: pd.DataFrame, heard: list[Settings]) -> None:
    memagic.run(
        "melogit win x || g:, iterate(50) tolerance(1e-5) ltolerance(1e-8) nrtolerance(1e-9)", data=frame
    )
    memagic.run("melogit win x || g:, nonrtolerance", data=frame)
    memagic.run("melogit win x || g:", data=frame)
    one, two, three = (settings.stopping for settings in heard)
    assert (one.iterate, one.tolerance, one.ltolerance, one.nrtolerance) == (50, 1e-5, 1e-8, 1e-9)
    assert two.nrtolerance is None
    assert (three.iterate, three.tolerance, three.ltolerance, three.nrtolerance) == (300, 1e-6, 1e-7, 1e-5)


@pytest.mark.parametrize("iterate", [0, 1])
def test_stopped_early(iterate: int, frame: pd.DataFrame) -> None:
    found = memagic.run(f"melogit win x || g:, iterate({iterate})", data=frame)
    assert not found.converged
    assert (found.e["converged"], found.e["rc"], found.e["ic"]) == (0, 430, iterate)
    assert "convergence not achieved" in found.to_text()


def test_log(frame: pd.DataFrame) -> None:
    lines: list[str] = []
    session = Session(frame.assign(twice=2 * frame["x"]))
    found = session.run("melogit win x twice || g:", stream=lines.append)
    assert lines[0] == "note: twice omitted because of collinearity."
    text = "\n".join(lines)
    assert text.index("Fitting fixed-effects model:") < text.index("Refining starting values:")
    assert text.index("Grid node 0:") < text.index("Fitting full model:")
    assert isinstance(found, MEResults)
    assert tuple(lines[1:]) == found.estimates.log


def test_no_log(frame: pd.DataFrame) -> None:
    lines: list[str] = []
    session = Session(frame.assign(twice=2 * frame["x"]))
    session.run("melogit win x twice || g:, nolog", stream=lines.append)
    assert lines == ["note: twice omitted because of collinearity."]
    assert session.last is not None
    assert session.last.estimates.log == ()


# --- refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "rc", "message", "where"),
    [
        (
            "melogit win x || g:, intpoints(5) intmethod(laplace)",
            198,
            "option intpoints() is not allowed with intmethod(laplace)",
            "intpoints(5)",
        ),
        (
            "melogit win x || g:, intpoints(1)",
            198,
            "intmethod(mvaghermite) needs at least two integration points",
            "intpoints(1)",
        ),
        (
            "melogit win x || g:, intpoints(5) intmethod(pclaplace)",
            198,
            "option intpoints() is not allowed with intmethod(pclaplace)",
            "intpoints(5)",
        ),
        *(
            (
                f"{start} intmethod({method})",
                198,
                f"intmethod({method}) is not allowed with {family}",
                f"intmethod({method})",
            )
            for method in ("pcaghermite", "pclaplace")
            for start, family in (
                ("meprobit win x || g:,", "family(bernoulli) link(probit)"),
                ("meglm win x || g:, family(binomial 1) link(cloglog)", "family(binomial) link(cloglog)"),
                ("meglm y x || g:,", "family(gaussian)"),
                ("meologit count x || g:,", "family(ordinal)"),
                ("menbreg count x || g:,", "family(nbinomial)"),
            )
        ),
        ("melogit win x || g:, intpoints(0)", 198, "intpoints() must be an integer between 1 and 195", "0"),
        ("melogit win x || g:, level(100)", 198, "level() must be between 10 and 99.99 inclusive", "100"),
        ("meprobit win x || g:, or", 198, "option or not allowed", "or"),
        ("melogit win x || g:, irr", 198, "option irr not allowed", "irr"),
        ("mepoisson count x || g:, or", 198, "option or not allowed", "or"),
        ("meglm win x || g:, or family(bernoulli) link(probit)", 198, "option or not allowed", "or"),
        ("meglm win x || g:, irr family(bernoulli)", 198, "option irr not allowed", "irr"),
        ("meglm y x || g:, or", 198, "option or not allowed", "or"),
        ("melogit win x || g:, or eform", 198, "options or and eform may not be combined", "eform"),
        (
            "melogit win x || _all: R.g, covariance(unstructured)",
            198,
            "R.varname has the covariance structure identity",
            "covariance(unstructured)",
        ),
        ("melogit win x || g:, noconstant", 198, "random-effects equation has no random effects", None),
    ],
)
def test_refused(command: str, rc: int, message: str, where: str | None, frame: pd.DataFrame) -> None:
    error = refused(command, frame)
    assert error.rc == rc
    assert error.message.startswith(message)
    if where is not None:
        place = marked(error)
        assert place is not None
        assert place.strip() == where


@pytest.mark.parametrize(
    ("options", "q", "nodes"),
    [("intpoints(195)", 3, "7,414,875"), ("", 10, "282,475,249")],
)
def test_too_many_nodes(options: str, q: int, nodes: str, frame: pd.DataFrame, heard: list[Settings]) -> None:
    wide = frame.assign(**{f"v{k}": np.sin((k + 1.0) * np.arange(90)) for k in range(9)})
    effects = " ".join(f"v{k}" for k in range(q - 1))
    error = refused(f"melogit win x || g: {effects}, {options}", wide)
    assert error.rc == 198
    assert f"{q} dimensions make {nodes} nodes" in error.message
    assert error.hint == "fewer points with intpoints(), or intmethod(laplace)"
    assert heard == []
    if options:
        assert marked(error) == options


def test_many_nodes_that_are_not_needed(frame: pd.DataFrame) -> None:
    """The linear model is integrated in closed form, whatever the number of points."""
    assert memagic.run("meglm y x || g: a e, intpoints(195)", data=frame).estimates.n_points == 195


def test_starting_values_that_are_not_feasible(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def hopeless(*arguments: object) -> Fit:
        raise NotFeasible

    monkeypatch.setattr(estimation, "fit", hopeless)
    error = refused("melogit win x || g:", frame)
    assert (error.rc, error.message) == (1400, "initial values not feasible")


@pytest.mark.parametrize(
    "command",
    [
        "melogit win nothere || g:",
        "melogit win x || g:, intpoints(1)",
        "melogit win x if x > 100 || g:",
        "melogit win x || g: x, covariance(unheard)",
        "mepoisson x a || g:",
        "melogit win x ||",
        "mewhat win x",
        "meprobit",
        "melogit, irr",
    ],
)
def test_error_leaves_everything_as_it_was(command: str, frame: pd.DataFrame) -> None:
    before = frame.copy(deep=True)
    session = Session(frame)
    first = session.run("melogit win x || g:")
    with pytest.raises(CommandError):
        session.run(command)
    assert session.last is first
    assert session.data is frame
    pd.testing.assert_frame_equal(frame, before)
    assert "Odds ratio" in str(session.run("melogit, or"))


def test_faults_of_our_own_are_not_hidden(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> Fit:
        raise ZeroDivisionError

    session = Session(frame)
    first = session.run("melogit win x || g:")
    monkeypatch.setattr(estimation, "fit", broken)
    with pytest.raises(ZeroDivisionError):
        session.run("melogit win x || g:")
    assert session.last is first


# --- perfect predictors ----------------------------------------------------------------------


def test_perfect_predictors(frame: pd.DataFrame) -> None:
    sure = (np.arange(90) % 9 == 0).astype(int)
    data = frame.assign(sure=sure, win=np.where(sure == 1, 1, frame["win"]))
    found = memagic.run("melogit win x sure || g:", data=data)
    assert found.estimates.notes == (
        "note: sure != 0 predicts success perfectly;",
        "      sure omitted and 10 obs not used.",
    )
    assert found.nobs == 80
    np.testing.assert_array_equal(found.e["sample"], sure == 0)
    without = memagic.run("melogit win x if sure == 0 || g:", data=data)
    np.testing.assert_allclose(found.params, without.params)
    kept = memagic.run("melogit win x sure, asis || g:, iterate(5)", data=data)
    assert kept.nobs == 90
    assert "sure" in kept.params.index


def test_perfect_prediction(frame: pd.DataFrame) -> None:
    error = refused("melogit win copy || g:", frame.assign(copy=frame["win"]))
    assert (error.rc, error.message) == (2000, "outcome = copy > 0 predicts data perfectly")
