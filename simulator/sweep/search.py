"""Search a space that is too large to walk, by Optuna."""

from typing import Any

from simulator.jobs.outcome import Workers
from simulator.sweep.compute import Progress, Said, run_points
from simulator.sweep.objectives import Objectives
from simulator.sweep.point import Point
from simulator.sweep.results import rows_of
from simulator.sweep.space import Space
from simulator.sweep.store import Store
from simulator.sweep.sweep_file import Interval, Range, Search
from workloads.foundation.errors import InputError


def run_search(space: Space, search: Search, store: Store, sweep: str, workers: Workers, said: Said) -> int:
    """Try settings that Optuna chooses, and return how many points there are.

    The sampler learns from `at_once` settings at a time, in their order, so that the search depends on its seed alone.
    A setting is judged by its last design.

    Raises
    ------
    InputError
        If Optuna is not installed.
    """
    study, distributions = _study(search, len(space.objectives))
    objectives, progress = Objectives(space), Progress(search.trials, said)
    count = tried = 0
    while tried < search.trials:
        trials = [study.ask(distributions) for _ in range(min(search.at_once, search.trials - tried))]
        ends: list[int] = []
        points: list[Point] = []
        for trial in trials:
            points += space.points([trial.params])
            ends.append(count + len(points))
        run_points(points, store, sweep, count, workers, Progress(0, lambda *_: None))
        rows = {row["point"]: row for row in rows_of(store.rows(sweep, count))}
        for trial, begin, end in zip(trials, [count, *ends], ends, strict=False):
            row = rows[end - 1] if end > begin else None
            if row is None or row["reason"] is not None:
                study.tell(trial, state=_failed())
            else:
                study.tell(trial, objectives.values(row))
        count, tried = ends[-1], tried + len(trials)
        progress.add(len(trials), "")
    return count


def _study(search: Search, objectives: int) -> tuple[Any, dict[str, Any]]:
    try:
        import optuna
    except ImportError:
        problem = "takes Optuna, which is not installed"
        raise InputError("the sweep", "search", problem, "pip install '.[sweep]' in a clone") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {
        "tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler,
        "random": optuna.samplers.RandomSampler,
    }  # fmt: skip
    study = optuna.create_study(
        directions=["minimize"] * objectives, sampler=samplers[search.sampler](seed=search.seed)
    )
    return study, {key: _distribution(one) for key, one in search.keys.items()}


def _distribution(choices: Range) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(choices, Interval):
        return CategoricalDistribution(list(choices))
    if choices.whole:
        return IntDistribution(int(choices.lowest), int(choices.highest), choices.log, int(choices.step or 1))
    return FloatDistribution(choices.lowest, choices.highest, choices.log, choices.step)


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL
