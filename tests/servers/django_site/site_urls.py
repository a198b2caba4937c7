"""Where SCIM is served, and who may ask."""

import os
from types import SimpleNamespace

from django.urls import include, path

urlpatterns = [path("scim/v2/", include("django_scim.urls"))]


class BearerOnly:
    """Signs in whoever brings the token."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Pass the request on as somebody, or as nobody."""
        known = request.headers.get("Authorization") == f"Bearer {os.environ['SITE_TOKEN']}"
        request.user = SimpleNamespace(is_authenticated=known)
        return self.get_response(request)
