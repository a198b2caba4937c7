"""What can be told of an account, by the evidence of a scan as by a later look at it."""

from datetime import datetime

from scanner.config import Application
from scanner.remediation.model import Account


def is_proven(account: Account, as_of: datetime) -> bool:
    """Tell whether HR says that the person to whom the account certainly belongs has left."""
    ended = account.worker_terminated_at
    return (
        account.match_confidence == "certain"
        and account.worker_status == "terminated"
        and ended is not None
        and datetime.fromisoformat(ended) <= as_of
    )


def activity_known(account: Account) -> bool:
    """Tell whether the application says when it was used; an inactive account cannot be in use."""
    return account.is_active is False or bool(account.last_sign_in_at or account.last_activity_at)


def is_own(account: Account, app: Application) -> bool:
    """Tell whether one of the tool's credentials belongs to the account."""
    named = {app.auth.username, app.auth.client_id}
    if app.write is not None:
        named |= {app.write.auth.username, app.write.auth.client_id, *app.write.own_accounts}
    own = {name.casefold() for name in named if name}
    return any(name.casefold() in own for name in (account.account_id, account.username, account.email) if name)
