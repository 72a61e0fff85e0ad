"""Estimates in a file, and back.

Source: [R] estimates save. The file carries no code; it has the design of the model with the data of
the estimation sample, if these are not left out.
"""

from __future__ import annotations

import os
from dataclasses import replace as changed
from pathlib import Path

from memagic.errors import CommandError
from memagic.results.archive import read_archive, write_archive
from memagic.results.codec import Malformed, Packed, pack, unpack
from memagic.results.diagnosis import diagnose
from memagic.results.display_options import DisplayOptions
from memagic.results.estimates import Estimates, SampleFacts
from memagic.results.report import p_mixture
from memagic.results.stored import data_signature

__all__ = ["file_of", "load_estimates", "save_estimates"]

_SUFFIX = ".mefit"


def file_of(name: str | os.PathLike[str]) -> Path:
    """The file of a name: ``.mefit`` is added to one without an extension."""
    path = Path(name).expanduser()
    return path if path.suffix else path.with_name(path.name + _SUFFIX) if path.name else path


def save_estimates(
    path: Path, estimates: Estimates, options: DisplayOptions, *, replace: bool, remove_data: bool
) -> None:
    """Write estimates and how they are shown.

    Parameters
    ----------
    path : Path
    estimates : Estimates
    options : DisplayOptions
    replace : bool
        Whether a file that exists gives way.
    remove_data : bool
        Leave out every array over observations or groups.

    Raises
    ------
    CommandError
        ``file x already exists``, r(602), and what else there may be about files, r(603); labels that
        cannot be written, r(198).
    """
    if remove_data and estimates.facts is None:
        facts = SampleFacts(
            n_obs=estimates.n_obs,
            group_counts=estimates.group_counts,
            signature=data_signature(estimates),
            warnings=diagnose(estimates) if estimates.fitted else (),
            p_mixture=p_mixture(estimates),
        )
        estimates = changed(estimates, facts=facts)
    packed = pack((estimates, options), remove_data=remove_data)
    write_archive(path, packed.value, packed.arrays, replace=replace)


def load_estimates(path: Path) -> tuple[Estimates, DisplayOptions]:
    """What `save_estimates` has written.

    Raises
    ------
    CommandError
        ``file x not found``, r(601); a file without estimates, a damaged or newer one, r(610).
    """
    value, arrays = read_archive(path)
    try:
        estimates, options = unpack(Packed(value, arrays))
        if not isinstance(estimates, Estimates) or not isinstance(options, DisplayOptions):
            raise Malformed("other things than estimates")
    except (Malformed, ValueError, TypeError) as error:
        raise CommandError(610, f"file {path} is corrupt", hint="its parts do not fit together") from error
    return estimates, options
