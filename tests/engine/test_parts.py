"""The log likelihood over parts: the same fit, whatever works on the parts."""

import pickle
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial, reduce
from operator import add

import numpy as np
import pytest

from memagic.engine import elsewhere, families, parts
from memagic.engine.fit import Settings, StoppedFit, fit, make_objective
from memagic.engine.maximize import Search
from memagic.engine.parted import PartedProblem, row_sums, without_effects
from memagic.engine.sandwich import Variance
from memagic.engine.start import StartSettings, starting_point
from memagic.engine.workers import OnWorkers

SIZES = tuple(range(3, 11)) * 8


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(parts, "_LEAST_ROWS", 60)


class Here(Executor):
    """Tasks at once, in this thread; `before` is called before each."""

    def __init__(self, before=lambda: None):
        self.before = before

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.before()
        future.set_result(fn(*args, **kwargs))
        return future


def assert_same(found, expected):
    assert found.log_likelihood == expected.log_likelihood
    for part in ("estimates", "covariance", "gradient", "hessian"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
    assert found.log == expected.log


def assert_close(found, expected, tolerance=1e-8):
    assert found.converged
    np.testing.assert_allclose(found.log_likelihood, expected.log_likelihood, rtol=1e-11)
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=tolerance, atol=1e-10)
    errors = [np.sqrt(np.diag(one.covariance)) for one in (found, expected)]
    np.testing.assert_allclose(*errors, rtol=tolerance)


def test_parts_are_whole_clusters_in_order(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    found = parts.cut(problem)
    assert len(found) == len(problem.y) // 60
    sizes = np.concatenate([np.bincount(part.levels[0].cluster) for part in found])
    np.testing.assert_array_equal(sizes, np.bincount(problem.levels[0].cluster))
    assert sum(part.constant for part in found) == pytest.approx(problem.constant)


def test_a_small_problem_is_one_part(model):
    problem, _ = model("bernoulli-logit", sizes=(2, 3))
    (part,) = parts.cut(problem)
    np.testing.assert_array_equal(part.y, problem.y)


CASES = {
    "quadrature": Settings(),
    "laplace": Settings(method="laplace"),
    "numerical": Settings(numerical=True, n_points=3),
    "bhhh": Settings(search=Search((("bhhh", 3), ("nr", 10)))),
    "opg": Settings(variance=Variance("opg")),
    "robust": Settings(variance=Variance("robust")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_over_parts_is_that_of_the_whole(name, model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    whole = fit(problem, CASES[name])
    assert_close(fit(problem, CASES[name], executor=Here()), whole, 1e-7 if name == "numerical" else 1e-8)


def test_levels_and_weights_over_parts(nested):
    problem, _ = nested(
        "poisson-log", (("independent", 1), ("unstructured", 2)), tuple(((3, 4), (5, 6, 2)) * 12)
    )
    rng = np.random.default_rng(3)
    top = replace(problem.levels[0], weight=rng.uniform(0.5, 2.0, problem.n_clusters))
    weighted = replace(problem, weight=rng.uniform(0.5, 2.0, len(problem.y)), levels=(top, problem.levels[1]))
    settings = Settings(n_points=5, variance=Variance("robust"))
    assert_close(fit(weighted, settings, executor=Here()), fit(weighted, settings))


def test_scores_come_here_where_their_products_are_not_enough(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    groups = np.arange(problem.n_clusters) // 3
    settings = Settings(variance=Variance("robust", groups, int(groups.max()) + 1))
    assert_close(fit(problem, settings, executor=Here()), fit(problem, settings))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quadrature", "laplace", "robust"])
def test_processes_give_what_this_one_does_to_the_last_bit(name, model, processes):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    assert_same(fit(problem, CASES[name], executor=processes), fit(problem, CASES[name], executor=Here()))


@pytest.mark.slow
def test_gaussian_response_in_processes(model, processes):
    problem, _ = model("gaussian-identity", "unstructured", 2, sizes=SIZES)
    found = fit(problem, Settings(), executor=processes)
    assert_same(found, fit(problem, Settings(), executor=Here()))
    assert_close(found, fit(problem, Settings()))


def test_threads_of_a_pool_will_do_as_well(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    with ThreadPoolExecutor(3) as pool:
        assert_same(fit(problem, Settings(), executor=pool), fit(problem, Settings(), executor=Here()))


def test_a_worker_that_has_forgotten_a_part_is_sent_it_again(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    forgetful = Here(before=elsewhere._KEPT.clear)
    assert_same(fit(problem, Settings(), executor=forgetful), fit(problem, Settings(), executor=Here()))


def test_a_worker_keeps_the_parts_of_few_fits(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    for _ in range(elsewhere._MOST_FITS + 2):
        fit(problem, Settings(estimate=False), executor=Here())
    assert len(elsewhere._KEPT) == elsewhere._MOST_FITS


def test_an_interrupt_takes_back_what_has_not_begun(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    submitted = []

    class Interrupted(Here):
        def submit(self, fn, /, *args, **kwargs):
            if len(submitted) < 20:
                submitted.append(super().submit(fn, *args, **kwargs))
                return submitted[-1]
            future = Future()
            if len(submitted) == 20:
                future.set_exception(KeyboardInterrupt())
            submitted.append(future)
            return future

    with pytest.raises(StoppedFit) as stopped:
        fit(problem, Settings(), executor=Interrupted())
    assert all(future.cancelled() for future in submitted[21:])
    assert len(submitted) > 21
    assert stopped.value.so_far.interrupted


def test_problems_can_be_pickled(nested):
    problem, _ = nested("poisson-log", (("exchangeable", 2), ("unstructured", 2)))
    assert problem.structure is not None
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.structure.basis, problem.structure.basis)


class InPlace:
    """Parts in this process."""

    def __init__(self, things):
        self.things = things
        self.memories = [None] * len(things)

    def prepared(self, make):
        return InPlace([make(thing) for thing in self.things])

    def each(self, task, *arguments):
        found = [parts.step(*both, task, arguments) for both in zip(self.things, self.memories, strict=True)]
        self.memories = [memory for _, memory in found]
        return [result for result, _ in found]


def parted(problem):
    """The same model with its rows in parts."""
    there = InPlace(parts.cut(problem))
    assert len(there.things) > 2
    sums = reduce(add, there.each(row_sums))
    return PartedProblem(problem.family, problem.structures, sums, there)


STARTS = {
    "fixedonly": StartSettings(),
    "zero": StartSettings("zero"),
    "constantonly": StartSettings("constantonly", constant=1),
    "iv": StartSettings("iv"),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("family", ["gaussian-identity", "poisson-log", "bernoulli-cloglog"])
def test_starting_values_over_parts(start, family, model):
    problem, _ = model(family, "unstructured", 2, sizes=SIZES)
    events = []
    found = starting_point(parted(problem), STARTS[start], events.append)
    expected = starting_point(problem, STARTS[start], events.append)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-8, atol=1e-9)
    assert found.comparison == pytest.approx(expected.comparison, rel=1e-12)


def test_a_fit_whose_rows_are_elsewhere(model, nested):
    tree = tuple(((3, 4), (5, 6, 2)) * 12)
    for problem in (
        model("bernoulli-logit", sizes=SIZES)[0],
        model("gaussian-identity", "unstructured", 2, sizes=SIZES)[0],
        nested("poisson-log", (("independent", 1), ("independent", 1)), tree)[0],
    ):
        assert_close(fit(parted(problem), CASES["robust"]), fit(problem, CASES["robust"]))


def test_families_with_parameters_of_their_own_elsewhere(model):
    counts, _ = model("poisson-log", sizes=SIZES)
    codes = np.minimum(counts.y, 2.0)
    for problem in (
        replace(counts, family=families.NegativeBinomialMean()),
        replace(counts, family=families.GammaLog(), y=counts.y + 0.5),
        replace(counts, family=families.OrdinalLogit(3), y=codes, x=counts.x[:, :1]),
    ):
        assert_close(fit(parted(problem), Settings()), fit(problem, Settings()), 1e-6)


def test_without_random_effects_elsewhere(model):
    problem, _ = model("poisson-log", sizes=SIZES)
    elsewhere = without_effects(parted(problem), [0, 1])
    assert_close(fit(elsewhere, Settings()), fit(without_effects(problem, [0, 1]), Settings()))


class Pointer:
    """What stands for a value that is elsewhere."""

    def __init__(self, value):
        self.value = value


class Client:
    """A client whose one worker is this thread; everything goes there and back as bytes."""

    def __init__(self):
        self.cancelled = []
        self.gathers = 0
        self.interrupt_at = None

    def submit(self, function, /, *args, pure):
        assert not pure
        call = pickle.dumps((function, [a.value if isinstance(a, Pointer) else a for a in args]))
        function, args = pickle.loads(call)
        return Pointer(function(*args))

    def gather(self, futures):
        self.gathers += 1
        if self.gathers == self.interrupt_at:
            raise KeyboardInterrupt
        return [future.value for future in futures]

    def cancel(self, futures):
        self.cancelled += futures


def on_workers(problem, client):
    there = OnWorkers(client, [Pointer(part) for part in parts.cut(problem)])
    return PartedProblem(problem.family, problem.structures, reduce(add, there.each(row_sums)), there)


def test_workers_give_what_this_process_does_to_the_last_bit(model):
    problem, _ = model("bernoulli-logit", sizes=SIZES)
    assert_same(fit(on_workers(problem, Client()), Settings()), fit(parted(problem), Settings()))


def test_an_interrupt_leaves_workers_as_they_were(model):
    problem, theta = model("bernoulli-logit", sizes=SIZES)
    client = Client()
    there = on_workers(problem, client).problems.prepared(partial(make_objective, settings=Settings()))
    here = parted(problem).problems.prepared(partial(make_objective, settings=Settings()))
    client.interrupt_at = client.gathers + 1
    with pytest.raises(KeyboardInterrupt):
        there.each(parts._value, theta + 0.5)
    assert len(client.cancelled) == 3 * len(parts.cut(problem))
    assert there.each(parts._value, theta) == here.each(parts._value, theta)


def test_where_theta_is_not_feasible_on_a_worker():
    there = OnWorkers(Client(), [Pointer(np.eye(2)), Pointer(-np.eye(2))])
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        there.each(np.linalg.cholesky)
