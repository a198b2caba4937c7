"""The users and groups of the Django site."""
