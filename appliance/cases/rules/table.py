"""Which rule goes with which action; an action without one does what its row in the workflow says, and no more."""

from __future__ import annotations

from appliance.cases.rules.above import (
    ANSWER_SUPERVISION,
    CLEAR_SUPERVISION,
    FromAbove,
    Instruct,
    Note,
    Supervise,
    SupervisionStep,
)
from appliance.cases.rules.base import Rule
from appliance.cases.rules.desk import Accept, Amend, Callback, Close, ForceClose, Merge, Reopen, Unmerge
from appliance.cases.rules.field import AskCollector, CheckFail, FieldAnswer
from appliance.cases.rules.handling import Assign, Dispatch, Dispute, Extend, Finish, Resume, Return, Settle, Suspend

RULES: dict[str, Rule] = {
    "ask_verify": AskCollector(by_draw=False),
    "ask_check": AskCollector(by_draw=True),
    "verify_true": FieldAnswer(),
    "verify_false": FieldAnswer(),
    "check_pass": FieldAnswer(),
    "check_fail": CheckFail(),
    "accept": Accept(),
    "merge": Merge(),
    "unmerge": Unmerge(),
    "dispatch": Dispatch(),
    "assign": Assign(),
    "finish": Finish(),
    "return": Return(),
    "resume": Resume(),
    "suspend": Suspend(),
    "extend": Extend(),
    "dispute": Dispute(),
    "settle": Settle(),
    "callback": Callback(),
    "close": Close(),
    "reopen": Reopen(),
    "force_close": ForceClose(),
    "amend": Amend(),
    "supervise": Supervise(),
    "answer_supervision": SupervisionStep(ANSWER_SUPERVISION),
    "clear_supervision": SupervisionStep(CLEAR_SUPERVISION),
    "instruct": Instruct(),
    "note": Note(),
    "return_up": FromAbove(),
    "withdraw": FromAbove(),
}
