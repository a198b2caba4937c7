"""Receivers as orphanscan.toml names them."""

CHAT = '[[notify]]\nid = "chat"\ntype = "slack"\nurl = { env = "CHAT_URL" }\n'
JIRA = """
[[notify]]
id = "jira"
type = "jira"
base_url = "{url}"
auth = {{ type = "basic", username = "bot@acme.example", password_env = "JIRA_TOKEN" }}
project = "SEC"
"""


def syslog(address: str, form: str = "rfc5424") -> str:
    """Return a receiver."""
    return f'[[notify]]\nid = "siem"\ntype = "syslog"\naddress = "{address}"\nformat = "{form}"\nprivacy = "L2"\n'
