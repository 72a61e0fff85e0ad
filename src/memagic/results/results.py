"""The estimation result as users hold it: statsmodels' names with the manual's content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from memagic.display.html import to_html
from memagic.display.latex import to_latex
from memagic.display.report import Wrap
from memagic.display.text import to_text
from memagic.errors import CommandError
from memagic.postestimation.after import AfterEstimation
from memagic.postestimation.predictions import Predictions
from memagic.postestimation.table_plugin import InTables
from memagic.results.display_options import DisplayOptions, Exponentiated, check_level, check_scale
from memagic.results.estimates import Estimates
from memagic.results.replay import Replay, explorer
from memagic.results.report import make_report
from memagic.results.statistics import Statistics

if TYPE_CHECKING:
    import os

    from memagic.plots.accessor import Plots
    from memagic.postestimation.diagram import Diagram
    from memagic.postestimation.equation import Equation
    from memagic.widgets.integrand import IntegrandView
    from memagic.widgets.replay import ReplayExplorer

__all__ = ["MEResults"]


class MEResults(Statistics, AfterEstimation, Predictions, InTables):
    """A fitted multilevel model.

    Parameters
    ----------
    estimates : Estimates
        The numbers.
    options : DisplayOptions
        How the command that fitted the model asked for it to be shown.
    beside : mapping of str to Estimates, optional
        What the widget offers to compare it with, where the command asked for one.

    Attributes
    ----------
    estimates : Estimates
    """

    def __init__(
        self, estimates: Estimates, options: DisplayOptions, beside: Mapping[str, Estimates] | None = None
    ) -> None:
        self.estimates = estimates
        self._options = options
        self._beside = dict(beside or {})

    # --- display ------------------------------------------------------------------------------

    def equation(self, *, estimates: bool = False) -> Equation:
        """The model in mathematics: LaTeX that a notebook sets, and plain text.

        Parameters
        ----------
        estimates : bool
            Numbers in place of symbols.
        """
        from memagic.postestimation.equation import equation

        return equation(self.estimates, numbers=estimates)

    def diagram(self) -> Diagram:
        """How the groups of the model are nested or crossed, with their counts."""
        from memagic.postestimation.diagram import diagram

        return diagram(self.estimates)

    @property
    def plot(self) -> Plots:
        """Figures of the result: effects, coefficients, fit_by_group, profile."""
        from memagic.plots.accessor import Plots

        return Plots(self.estimates)

    def replay(
        self,
        *,
        or_: bool = False,
        irr: bool = False,
        eform: bool = False,
        level: float = 95.0,
        noheader: bool = False,
        notable: bool = False,
        nogroup: bool = False,
        nofvlabel: bool = False,
        nocnsreport: bool = False,
        coeflegend: bool = False,
        baselevels: bool = False,
        noci: bool = False,
        nopvalues: bool = False,
        allbaselevels: bool = False,
        noemptycells: bool = False,
        noomitted: bool = False,
        vsquish: bool = False,
        fvwrap: int = 1,
        fvwrapon: Literal["word", "width"] = "word",
    ) -> Replay:
        """Show the result in another way, without fitting anything again.

        Parameters
        ----------
        or_, irr, eform : bool
            Exponentiated coefficients, as odds ratios (logit link) or incidence-rate ratios (log link).
        level : float
            Confidence level in percent, between 10 and 99.99.
        noheader, notable, nogroup, nofvlabel, nocnsreport : bool
            What to leave out.
        coeflegend : bool
            The parameters' names, by which `from()` and `test` address them, in place of statistics.
        baselevels : bool
            Rows for the base levels of factor variables.
        noci, nopvalues : bool
            Leave out confidence intervals, or p-values and their test statistics.
        allbaselevels : bool
            Base levels as well, also those of interactions.
        noemptycells, noomitted, vsquish : bool
            What to leave out: cells without observations, omitted variables, blank lines.
        fvwrap : int
            How many lines a long value label may take.
        fvwrapon : {"word", "width"}
            Where it is broken.

        Raises
        ------
        CommandError
            More than one scale, a scale that is not the model's, or a level out of range, r(198).
        """
        chosen: list[Exponentiated] = []
        chosen += ["or"] if or_ else []
        chosen += ["irr"] if irr else []
        chosen += ["eform"] if eform else []
        if len(chosen) > 1:
            raise CommandError(198, f"only one of {' and '.join(chosen)} may be specified")
        check_level(level)
        options = DisplayOptions(
            exponentiated=chosen[0] if chosen else "",
            level=level,
            header=not noheader,
            table=not notable,
            group=not nogroup,
            labels=not nofvlabel,
            constraints=not nocnsreport,
            legend=coeflegend,
            bases=baselevels,
            intervals=not noci,
            p_values=not nopvalues,
            all_bases=allbaselevels,
            empty=not noemptycells,
            omitted=not noomitted,
            squish=vsquish,
            wrap=Wrap(fvwrap, fvwrapon),
        )
        return self.shown(options)

    def shown(
        self,
        options: DisplayOptions,
        span: tuple[int, int] | None = None,
        beside: Mapping[str, Estimates] | None = None,
    ) -> Replay:
        """The result under display options.

        Parameters
        ----------
        options : DisplayOptions
        span : tuple of int, optional
            The place of the option that chooses the scale, for the error.
        beside : mapping of str to Estimates, optional
            What a widget offers to compare it with.

        Raises
        ------
        CommandError
            ``option or not allowed``, r(198), for a scale that is not the model's.
        """
        kind = self.estimates.kind
        check_scale(kind.link, kind.family, options.exponentiated, span)
        live = partial(explorer, self.estimates, options, beside or {}) if options.widget else None
        return Replay(make_report(self.estimates, options, log=False), live)

    def shown_as(self, title: str) -> Replay:
        """The result as its command asked for it to be shown, under a title of its own."""
        report = make_report(self.estimates, self._options, log=False)
        return Replay(replace(report, notes_before=(title,)))

    def explore(self, compare: Mapping[str, MEResults] | None = None) -> ReplayExplorer:
        """A widget to look at the result in other ways; it never fits anything again.

        Parameters
        ----------
        compare : mapping of str to MEResults, optional
            Results to put beside this one, by name.

        Raises
        ------
        TypeError
            Results without names.
        """
        if compare is not None and not isinstance(compare, Mapping):
            raise TypeError('explore takes other results by their names: fit.explore({"other": other})')
        beside = {name: other.estimates for name, other in (compare or {}).items()}
        return explorer(self.estimates, self._options, beside or self._beside)

    def beside(self, others: Mapping[str, MEResults]) -> MEResults:
        """The same result, whose widget offers others to compare it with."""
        return MEResults(
            self.estimates, self._options, {name: other.estimates for name, other in others.items()}
        )

    def to_text(self, *, log: bool = False) -> str:
        """The manual's text, with the iteration log on request."""
        return to_text(make_report(self.estimates, self._options, log))

    def to_html(self) -> str:
        """One HTML fragment, with the iteration log folded in."""
        return to_html(make_report(self.estimates, self._options, log=True))

    def to_latex(self) -> str:
        """A LaTeX table; needs the package booktabs."""
        return to_latex(make_report(self.estimates, self._options, log=False))

    # --- other programs and files -------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], *, replace: bool = False, remove_data: bool = False) -> None:
        """Write the result to a file that `memagic.load` reads, also elsewhere and later.

        Parameters
        ----------
        path : str or path
            ``.mefit`` is added to a name without an extension.
        replace : bool
            Whether a file that exists gives way.
        remove_data : bool
            Leave out the estimation sample: the file is small, and tells of no observation. Predictions,
            random effects, margins and other fits are not possible then.

        Raises
        ------
        CommandError
            ``file x already exists``, r(602); the folder is not there, r(603).
        """
        from memagic.results.saved import file_of, save_estimates

        save_estimates(file_of(path), self.estimates, self._options, replace=replace, remove_data=remove_data)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MEResults:
        """The result in a file that `save` has written.

        Raises
        ------
        CommandError
            ``file x not found``, r(601); no estimates, damaged or of a newer version, r(610).
        """
        from memagic.results.saved import file_of, load_estimates

        return cls(*load_estimates(file_of(path)))

    def explore_integrand(self, group: int | None = None) -> IntegrandView:
        """Look at one group's integrand and what quadrature makes of it, as a widget.

        Parameters
        ----------
        group : int, optional
            The group to begin with: 1, if not given, is the first value of the group variable.

        Raises
        ------
        CommandError
            The model has not just one random effect, r(198); no such group, r(459).
        """
        from memagic.postestimation.integrand import groups_of
        from memagic.widgets.integrand import IntegrandView

        return IntegrandView(groups_of(self.estimates), 1 if group is None else group)

    def summary(self) -> Replay:
        """The table, under statsmodels' name for it."""
        return self.shown(self._options)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        command = self.estimates.command
        return (
            f"<{command.name} of {command.depvar.variable}: {self.nobs:,} observations, "
            f"log likelihood {self.llf:.7g}>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self._options.widget:
            return explorer(self.estimates, self._options, self._beside, log=True)._repr_mimebundle_()
        return {"text/plain": self.to_text(), "text/html": self.to_html()}
