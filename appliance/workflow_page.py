"""The page docs/workflow.md, written from the tables: `python -m appliance.workflow_page > docs/workflow.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from appliance.cases.workflow import ROLES, Workflow, workflow

HEAD = """# The workflow

Made from `workflow.csv`, `states.csv` and `actions.csv` in `appliance/cases/` by `python -m appliance.workflow_page`.
Seven stages (CJ/T 315-2009, GB/T 30428.8-2020): collect, register, dispatch, handle, report back, check, evaluate.

- 核实 *verify* comes before filing: is it true? 核查 *check* comes after handling: is it done?
- 回退 *return*: not ours. 返工 *rework*: the same unit again. 挂账 *suspension*. 延期 *extension*. 作废 *void*.
- Extension, suspension, return and void happen only by an approved request. An appeal takes two decisions.
- Every action appends one history row and raises the case's version; nothing is edited.
"""


def page(loop: Workflow) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_states(loop), "", *_actions(loop), ""])


def _states(loop: Workflow) -> Iterator[str]:
    yield "## States"
    yield ""
    yield "| state | 中文 | English | open | what may happen |"
    yield "|---|---|---|---|---|"
    for state in loop.states.values():
        names = ", ".join(action.name for action in loop.allowed(state.key) if action.called_by == "act")
        yield f"| `{state.key}` | {state.chinese} | {state.english} | {'yes' if state.is_open else 'no'} | {names} |"


def _actions(loop: Workflow) -> Iterator[str]:
    yield "## Actions"
    yield ""
    yield "| action | 中文 | who | leads to | starts | stops | needs | may have | how | note |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for action in loop.actions.values():
        who = "any" if set(ROLES) <= action.roles else ", ".join(sorted(action.roles))
        stops = "all" if len(action.stopped) > 5 else ", ".join(sorted(action.stopped))
        cells = (
            f"`{action.name}`", action.chinese, who, action.target or "", action.started or "", stops,
            ", ".join(action.needs), ", ".join(action.may), action.called_by, action.note,
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page(workflow()))
