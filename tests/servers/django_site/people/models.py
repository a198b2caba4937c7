"""Users and groups with what django-scim2 wants beside Django's own attributes."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django_scim.models import AbstractSCIMGroupMixin, AbstractSCIMUserMixin


class Group(AbstractSCIMGroupMixin):
    """A group."""

    name = models.CharField(max_length=80, unique=True)

    class Meta:
        """Where it belongs."""

        app_label = "people"


class User(AbstractSCIMUserMixin, AbstractUser):
    """A user."""

    scim_groups = models.ManyToManyField(Group, related_name="user_set")
    groups = None
    user_permissions = None

    class Meta:
        """Read in a fixed order."""

        app_label = "people"
        ordering: ClassVar = ["id"]
