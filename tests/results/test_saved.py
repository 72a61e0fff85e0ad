"""Estimates in a file and back: nothing is lost, and damaged files are refused."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import memagic
from memagic import CommandError, Session
from memagic.results import MEResults
from memagic.results.codec import Malformed, Packed, pack, unpack
from memagic.results.removed import Removed
from memagic.results.saved import file_of

MODELS = {
    "logit": "melogit c_use i.urban age if children < 3 & age > -10 || district: i.urban, cov(un) or",
    "weights": "meologit children age [fw=2-urban] || district:, intpoints(5) level(90)",
    "crossed": "meglm c_use age || _all: R.district, family(bernoulli)",
    "clusters": "meprobit c_use ib2.children#c.age, vce(cluster district)",
    "starts": "meglm age || district: urban, cov(exchangeable) startgrid(.1 1) from(age:_cons=1, skip)",
    "constraints": "meglm c_use age || district:, family(binomial 1) constraints(1) intmethod(laplace)",
    "structure": "meglm age || district: urban, covariance(fixed(A))",
    "survey": "svy, subpop(if urban): melogit c_use age || district:",
    "expressions": "melogit c_use age if e(sample) & age < _b[age] + 5 in 1/1500 || district:",
    "starting values": "melogit c_use age || district:, noestimate",
}


@pytest.fixture(scope="module")
def session() -> Session:
    """Data in use with what the models refer to."""
    session = Session("bangladesh")
    session.run("constraint 1 age = 0.1")
    session.run(r"matrix A = (1, 0 \ 0, .)")
    session.run("svyset district")
    return session


@pytest.fixture(scope="module")
def fits(session: Session) -> dict[str, MEResults]:
    """Every model once, and a three-level ordinal one on data that are simulated."""
    fits = {}
    for name, command in MODELS.items():
        fit = session.run(command)
        assert isinstance(fit, MEResults)
        fits[name] = fit
    rng = np.random.default_rng(7)
    words = np.array(["north", "south", "west", "éast"], dtype=object)
    frame = pd.DataFrame({"region": np.repeat(words, 60), "school": np.tile(np.repeat(range(12), 5), 4)})
    frame["x"] = rng.normal(size=240)
    frame["y"] = np.clip(np.round(frame.x + rng.normal(size=4)[pd.factorize(frame.region)[0]]), -1, 1) + 2
    frame.index = pd.MultiIndex.from_frame(frame[["region", "school"]].assign(row=range(240)))
    fits["three levels"] = memagic.run("meologit y x || region: || school:", data=frame)
    return fits


NAMES = [*MODELS, "three levels"]


@pytest.fixture(scope="module")
def saved(fits: dict[str, MEResults], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of one file."""
    path = tmp_path_factory.mktemp("saved") / "logit"
    fits["logit"].save(path)
    return file_of(path).read_bytes()


def assert_same_numbers(one: MEResults, other: MEResults) -> None:
    pd.testing.assert_series_equal(one.params, other.params, check_exact=True)
    pd.testing.assert_series_equal(one.bse, other.bse, check_exact=True)
    pd.testing.assert_frame_equal(one.cov_params(), other.cov_params(), check_exact=True)
    pd.testing.assert_frame_equal(one.conf_int(), other.conf_int(), check_exact=True)
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    assert one.dropped == other.dropped
    assert one.estimates.command == other.estimates.command
    assert one.nobs == other.nobs


def assert_same_pages(one: MEResults, other: MEResults) -> None:
    assert one.to_text(log=True) == other.to_text(log=True)
    assert one.to_html() == other.to_html()
    assert one.to_latex() == other.to_latex()
    assert str(one.replay(level=80)) == str(other.replay(level=80))


@pytest.mark.parametrize("name", NAMES)
def test_a_round_trip_loses_nothing(name: str, fits: dict[str, MEResults], tmp_path: Path) -> None:
    fit = fits[name]
    fit.save(tmp_path / "fit")
    back = memagic.load(tmp_path / "fit")
    assert_same_numbers(fit, back)
    assert_same_pages(fit, back)
    assert list(fit.e) == list(back.e)
    for key, value in fit.e.items():
        np.testing.assert_array_equal(value, back.e[key])
    pd.testing.assert_series_equal(fit.e["sample"], back.e["sample"])


@pytest.mark.parametrize("name", NAMES)
def test_a_second_save_writes_the_same_bytes(name: str, fits: dict[str, MEResults], tmp_path: Path) -> None:
    fits[name].save(tmp_path / "one")
    memagic.load(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "one.mefit").read_bytes() == (tmp_path / "two.mefit").read_bytes()


@pytest.mark.parametrize("name", ["logit", "weights", "crossed", "constraints", "survey", "three levels"])
def test_what_needs_the_data_works_after_loading(
    name: str, fits: dict[str, MEResults], tmp_path: Path
) -> None:
    fit = fits[name]
    fit.save(tmp_path / "fit")
    back = memagic.load(tmp_path / "fit")
    for level, effects in fit.random_effects.items():
        pd.testing.assert_frame_equal(effects, back.random_effects[level])
    if fit.estimates.categories.size:
        pd.testing.assert_frame_equal(fit.predict("pr"), back.predict("pr"))
    else:
        pd.testing.assert_series_equal(fit.predict("mu"), back.predict("mu"))


def test_other_fits_and_margins_work_after_loading(fits: dict[str, MEResults], tmp_path: Path) -> None:
    fit = fits["logit"]
    fit.save(tmp_path / "fit")
    back = memagic.load(tmp_path / "fit")
    assert str(fit.quadchk([5])) == str(back.quadchk([5]))
    assert str(fit.margins("urban")) == str(back.margins("urban"))
    pd.testing.assert_frame_equal(fit.simulate(2, seed=1), back.simulate(2, seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_without_data_what_stands_is_shown_and_the_rest_refused(
    name: str, fits: dict[str, MEResults], tmp_path: Path
) -> None:
    fit = fits[name]
    fit.save(tmp_path / "fit", remove_data=True)
    back = memagic.load(tmp_path / "fit")
    assert_same_numbers(fit, back)
    assert_same_pages(fit, back)
    if fit.estimates.fitted:
        term = fit.params.index[0]
        assert str(fit.lincom(f"2*{term}")) == str(back.lincom(f"2*{term}"))
        assert str(fit.wald_test(term)) == str(back.wald_test(term))
    assert repr(fit.e.scalars) == repr(back.e.scalars)
    assert fit.e["datasignature"] == back.e["datasignature"]
    # A second file has as little.
    back.save(tmp_path / "again")
    assert (tmp_path / "fit.mefit").read_bytes() == (tmp_path / "again.mefit").read_bytes()
    refused: list[Callable[[], object]] = [lambda: back.e["sample"]]
    if fit.estimates.fitted:
        refused.append(lambda: back.predict("xb"))
    if fit.estimates.fitted and fit.estimates.design.levels:
        refused += [lambda: back.random_effects, lambda: back.simulate()]
    for ask in refused:
        with pytest.raises(CommandError, match="the estimation sample is not there") as raised:
            ask()
        assert raised.value.rc == 322


def test_without_data_no_observation_is_in_the_file(fits: dict[str, MEResults]) -> None:
    for fit in fits.values():
        n, groups = len(fit.estimates.design.y), [len(g.sizes) for g in fit.estimates.design.groupings]
        arrays = pack((fit.estimates, fit._options), remove_data=True).arrays
        for array in arrays:
            assert not {n, len(fit.estimates.design.sample), *groups} & set(array.shape) - {1}


def refused(path: Path, rc: int, words: str) -> None:
    with pytest.raises(CommandError) as raised:
        memagic.load(path)
    assert raised.value.rc == rc
    assert words in raised.value.message


# One file of the session takes all the damage.
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(
    saved: bytes, tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    damaged = bytearray(saved)
    damaged[int(place * len(saved))] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "flipped.mefit"
    path.write_bytes(damaged)
    with pytest.raises(CommandError) as raised:
        memagic.load(path)
    assert raised.value.rc == 610


@pytest.mark.parametrize("length", [0, 3, 4, 63, 64, 70, 5000, -1])
def test_a_truncated_file_is_refused(saved: bytes, tmp_path: Path, length: int) -> None:
    path = tmp_path / "short.mefit"
    path.write_bytes(saved[:length])
    refused(path, 610, "")


def rewritten(saved: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """A file with other members and the checksum that fits."""
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = b"0" * 64
    content = buffer.getvalue()[:-64]
    return content + hashlib.sha256(content).hexdigest().encode()


def with_metadata(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["metadata.json"] = json.dumps(json.loads(members["metadata.json"]) | changes).encode()

    return change


def with_text(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        text = members["metadata.json"].decode()
        assert old in text
        members["metadata.json"] = text.replace(old, new, 1).encode()

    return change


def pickled(members: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Path("x"), None], dtype=object), allow_pickle=True)
    members["arrays/0.npy"] = buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_metadata(version=2), "is from a more recent version of memagic"),
        (with_metadata(version="one"), "is corrupt"),
        (with_metadata(format="another"), "is corrupt"),
        (with_metadata(arrays=1), "is corrupt"),
        (with_metadata(arrays=10**9), "is corrupt"),
        (with_metadata(value=None), "is corrupt"),
        (with_metadata(value=[1, 2]), "is corrupt"),
        (with_metadata(value={"class": "Popen", "fields": {"args": "ls"}}), "is corrupt"),
        (with_metadata(value={"inverse": "system", "arguments": ["ls"]}), "is corrupt"),
        (with_metadata(value=[{"class": "Dropped", "fields": {}}] * 2), "is corrupt"),
        (with_text('"technique"', '"techniques"'), "is corrupt"),
        (with_text('{"array": 0}', '{"array": -1}'), "is corrupt"),
        (with_text('{"array": 0}', '{"array": 99}'), "is corrupt"),
        (lambda members: members.update({"../../evil.py": b"print()"}), "is corrupt"),
        (lambda members: members.update({"/etc/evil": b""}), "is corrupt"),
        (lambda members: members.pop("arrays/0.npy"), "is corrupt"),
        (lambda members: members.pop("metadata.json"), "is corrupt"),
        (lambda members: members.update({"arrays/0.npy": b"no array"}), "is corrupt"),
        (lambda members: members.update({"metadata.json": b"[" * 100_000}), "is corrupt"),
        (pickled, "is corrupt"),
    ],
)
def test_a_file_with_other_contents_is_refused(
    saved: bytes, tmp_path: Path, change: Callable[[dict[str, bytes]], object], words: str
) -> None:
    path = tmp_path / "other.mefit"
    path.write_bytes(rewritten(saved, change))
    refused(path, 610, words)
    assert [file.name for file in tmp_path.iterdir()] == ["other.mefit"]


def test_the_same_members_again_are_accepted(saved: bytes, tmp_path: Path) -> None:
    """The refusals above are for what was changed, not for how these tests write a file."""
    path = tmp_path / "same.mefit"
    path.write_bytes(rewritten(saved, lambda members: None))
    assert "c_use" in memagic.load(path).to_text()


def test_files(fits: dict[str, MEResults], tmp_path: Path) -> None:
    fit = fits["logit"]
    refused(tmp_path / "nothing", 601, "nothing.mefit not found")
    refused(tmp_path, 601, "not found")
    (tmp_path / "text.mefit").write_text("b,se\n1,2\n")
    refused(tmp_path / "text", 610, "does not have estimates")
    fit.save(tmp_path / "fit")
    before = (tmp_path / "fit.mefit").read_bytes()
    with pytest.raises(CommandError, match="already exists") as raised:
        fits["crossed"].save(tmp_path / "fit")
    assert raised.value.rc == 602
    assert (tmp_path / "fit.mefit").read_bytes() == before
    fits["crossed"].save(tmp_path / "fit.mefit", replace=True)
    assert memagic.load(tmp_path / "fit").to_text() == fits["crossed"].to_text()
    with pytest.raises(CommandError) as raised:
        fit.save(tmp_path / "no folder" / "fit")
    assert raised.value.rc == 603
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fit.mefit", "text.mefit"]


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(3, 12, 3, name="row"),
        pd.Index([1.5, np.nan, 2.0]),
        pd.Index(["a", "b", None], dtype=object, name="word"),
        pd.Index(["a", "b", "c"], dtype="string"),
        pd.DatetimeIndex(["2020-03-01", "2020-03-02", "2020-03-04"], name="day"),
        pd.DatetimeIndex(["2020-03-28", "2020-03-29", "2020-03-31"], tz="Europe/Berlin"),
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("a", 3)], names=["g", None]),
    ],
)
def test_labels_of_rows(index: pd.Index) -> None:
    packed = pack((index,))
    value = json.loads(json.dumps(packed.value, allow_nan=False))
    (back,) = unpack(Packed(value, packed.arrays))
    pd.testing.assert_index_equal(back, index, exact=True)


def test_labels_without_a_form_are_refused() -> None:
    with pytest.raises(CommandError, match="cannot be saved") as raised:
        pack((pd.period_range("2020", periods=3),))
    assert raised.value.rc == 198
    with pytest.raises(CommandError, match="cannot be saved"):
        pack((np.array([Path("x")], dtype=object),))


def test_other_classes_are_neither_written_nor_made() -> None:
    with pytest.raises(TypeError, match="Path"):
        pack((Path("x"),))
    with pytest.raises(TypeError, match="function"):
        pack((print,))
    with pytest.raises(Malformed):
        unpack(Packed({"class": "Path", "fields": {}}))
    with pytest.raises(Malformed):
        unpack(Packed({"unknown": 1}))


def test_an_array_is_kept_once(fits: dict[str, MEResults]) -> None:
    estimates = fits["logit"].estimates
    packed = pack(estimates)
    back = unpack(packed)
    assert back.problem.x is back.design.x
    assert len(packed.arrays) == len({id(array) for array in packed.arrays})


def test_what_is_removed_has_its_shape_alone() -> None:
    removed = Removed((3, 2))
    assert (len(removed), removed.ndim, removed.size, repr(removed)) == (3, 2, 6, "<removed: 3 x 2>")
    for use in (
        lambda: np.ones(3) @ removed,
        lambda: np.asarray(removed),
        lambda: removed[0],
        lambda: removed * 2,
        lambda: np.log(removed),
        lambda: removed.max(),
        lambda: list(removed),
        lambda: np.column_stack([removed, removed]),
        lambda: float(removed),
    ):
        with pytest.raises(CommandError):
            use()
