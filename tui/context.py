"""What all screens of a session share: the client, who is signed in, the lists, the labels of the moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.i18n.labels import Labels
from tui.case_forms import Forms
from tui.client import NodeClient, Session
from tui.reference import Reference

SEES_OWN = frozenset(["department", "collector"])
SEES_PHONES = frozenset(["acceptor", "shift_leader", "dispatcher"])


@dataclass(slots=True)
class Context:
    """One seat.

    Attributes:
        labels: changes with the language.
        session: None before the sign-in.
        own_keys: the person's own keys of actions, by the action's name.
    """

    client: NodeClient
    labels: Labels
    reference: Reference
    session: Session | None = None
    braille: bool | None = True
    own_keys: dict[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the account."""
        return self.session.roles if self.session else frozenset()

    @property
    def sees_phones(self) -> bool:
        """Whether this account may search by telephone number."""
        return not self.roles.isdisjoint(SEES_PHONES)

    @property
    def sees_all(self) -> bool:
        """Whether this account has more than its own cases before it."""
        return bool(self.roles - SEES_OWN)

    @property
    def forms(self) -> Forms:
        """The builder of forms in the language of the moment."""
        return Forms(self.reference, self.labels, self.roles)
