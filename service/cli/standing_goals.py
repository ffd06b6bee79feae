"""Goals that are watched, on the command line."""

from decimal import Decimal
from typing import Annotated

import typer

from service.cli.files import text_of
from service.cli.output import AsJson, say, show, table
from service.cli.plans import GoalFile
from service.cli.session import session
from service.domain.standing_goal import StandingGoal
from service.usecases import standing_goals as usecases
from service.usecases.plan_questions import read_goal

GoalName = Annotated[str, typer.Argument(metavar="NAME", help="The name of the goal.")]


def watch(
    file: GoalFile,
    *,
    hysteresis: Annotated[
        float, typer.Option(min=0, max=1, help="Share by which another plan must be cheaper before it is told.")
    ] = 0.02,
    notify: Annotated[list[str] | None, typer.Option(help="Notification target to tell; all if none is named.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Watch it no longer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Plan a goal again whenever prices change, and tell when another plan is best."""
    goal = read_goal(text_of(file, "GOAL"))
    standing = StandingGoal(
        goal=goal,
        hysteresis=Decimal(repr(hysteresis)),
        enabled=not off,
        notify=tuple(notify or ()),
    )
    with session() as opened:
        held = usecases.watch_goal(opened.store, standing, now=opened.now())
    if as_json:
        show(held)
    else:
        state = "watched" if standing.enabled else "no longer watched"
        say(f"{goal.name}: {state}, version {held.standing_goal_id[:12]}")


def watched(*, as_json: AsJson = False) -> None:
    """List the goals that are watched, and how each stands."""
    with session() as opened:
        found = usecases.list_standing_goals(opened.store, opened.now())
        last = {
            one.standing.goal.name: next(
                iter(usecases.list_standing_goal_runs(opened.store, one.standing.goal.name, 1, now=opened.now())), None
            )
            for one in found
        }
    if as_json:
        show([{"standing_goal": one, "last_run": last[one.standing.goal.name]} for one in found])
        return
    rows = []
    for one in found:
        run = last[one.standing.goal.name]
        state = "ended" if one.ended else one.standing.enabled
        rows.append((one.standing.goal.name, state, run and run.ran_at, run and run.outcome))
    table("", ["Goal", "Watched", "Planned", "Outcome"], rows)


def replan(name: GoalName, *, as_json: AsJson = False) -> None:
    """Plan a standing goal now; another plan that is best is told as ever."""
    with session() as opened:
        now = opened.now()
        run = usecases.run_standing_goal(opened.store, name, now, now=now)
    if as_json:
        show(run)
    else:
        say(run.outcome)
