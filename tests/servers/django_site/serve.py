"""Serve django-scim2 with the users and groups of a JSON file; prints its port: python serve.py <file> <token>."""

import json
import os
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_):
        """Say nothing."""


def seed(stored):
    """Put users and groups into the database."""
    from people.models import Group, User

    users = {
        row["id"]: User.objects.create(
            username=row["userName"], email=row["userName"], is_active=row["active"], scim_external_id=row["externalId"]
        )
        for row in stored["users"]
    }
    for row in stored["groups"]:
        group = Group.objects.create(name=row["displayName"])
        group.user_set.set([users[member["value"]] for member in row["members"]])


if __name__ == "__main__":
    file, os.environ["SITE_TOKEN"] = sys.argv[1:]
    os.environ["SITE_DATABASE"] = f"{file}.sqlite3"
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    sys.path.insert(0, str(Path(__file__).parent))
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    seed(json.loads(Path(file).read_text()))
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
