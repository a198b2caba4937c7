"""Addresses and secrets in the configuration: named, never written."""

import pytest
from config_files import FRAME, errors, refusal

from scanner import config_file
from scanner.credentials import Secret


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        (
            'auth = {type = "bearer", token = "hunter2"}',
            [
                "application[1] (crm).auth.token: a secret never stands in this file; "
                "use one of token_env, token_file, token_keyring, token_command"
            ],
        ),
        (
            'auth = {type = "basic", username = "u", password = "hunter2"}',
            [
                "application[1] (crm).auth.password: a secret never stands in this file; "
                "use one of password_env, password_file, password_keyring, password_command"
            ],
        ),
        (
            'token = "hunter2"',
            [
                "application[1] (crm).token: a secret never stands in this file; "
                'use auth = {type = "bearer", token_env = ...}'
            ],
        ),
        (
            'auth = {type = "bearer", token_env = "hunter2-"}',
            [
                "application[1] (crm).auth.token_env: must be the name of an environment variable, "
                "such as CRM_TOKEN; not the secret itself"
            ],
        ),
        ('auth = "hunter2"', ["application[1] (crm).auth: must be a table, not text"]),
        (
            'auth = {type = "bearer", token_evn = "A"}',
            [
                "application[1] (crm).auth.token_evn: unknown key; did you mean token_env?",
                "application[1] (crm).auth: needs one of token_env, token_file, token_keyring, token_command",
            ],
        ),
        (
            'auth = {type = "bearer", token_env = "A", token_file = "b"}',
            ["application[1] (crm).auth: needs only one of token_env, token_file, token_keyring, token_command"],
        ),
        (
            'auth = {type = "bearr", token_env = "A"}',
            ['application[1] (crm).auth.type: "bearr" is not one of none, bearer, basic, oauth2, header, api_key'],
        ),
        (
            'auth = {type = "oauth2", client_id = "c", client_secret_command = "pass show crm"}',
            [
                "application[1] (crm).auth.client_secret_command: "
                'must be a list of words such as ["pass", "show", "crm"]; no shell reads it',
                "application[1] (crm).auth.token_url: missing",
            ],
        ),
        (
            'auth = {type = "oauth2", client_id = "c", token_url = "http://sso.example/t", client_secret_env = "A"}',
            ["application[1] (crm).auth.token_url: http sends secrets in clear; use https, or set allow_http = true"],
        ),
        (
            'auth = {type = "header", name = "X Key", value_keyring = "crm"}',
            [
                "application[1] (crm).auth.name: must be the name of an HTTP header, such as X-API-Key",
                'application[1] (crm).auth.value_keyring: must be "service/user", as stored in the keyring',
            ],
        ),
    ],
)
def test_secrets_are_named_never_written(write, auth, told):
    """A wrong way to sign in is told without a word of the secret."""
    path = write(f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "https://crm.example"\n{auth}\n')

    assert errors(path) == told
    assert "hunter2" not in refusal(path)


@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        ('type = "bearer", token_keyring = "crm/bot"', Secret("keyring", "crm/bot")),
        (
            'type = "header", name = "X-Key", value_command = ["pass", "show", "crm"]',
            Secret("command", ("pass", "show", "crm")),
        ),
        ('type = "basic", username = "u", password_file = "/run/pw"', Secret("file", "/run/pw")),
        ('type = "none"', None),
    ],
)
def test_every_form_of_a_secret_is_a_reference(write, auth, secret):
    """Keyring, command and file arrive as references."""
    path = write(
        f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "https://crm.example"\nauth = {{{auth}}}\n'
    )

    assert config_file.load(path).applications[0].auth.secret == secret


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ftp://crm.example", "must be a URL such as https://crm.example/scim/v2"),
        ("crm.example/scim", "must be a URL such as https://crm.example/scim/v2"),
        ("https://crm.example:99999/", "is not a valid URL"),
        ("https://jo:hunter2@crm.example", "must not hold a user name or password; use auth"),
        ("https://crm.example/#top", "must not hold a fragment (#...)"),
        ("https://crm.example/?key=hunter2", "must not hold a query (?...)"),
        ("https://crm.example/a b", "must be a URL such as https://crm.example/scim/v2"),
        ("http://crm.example/scim", "http sends secrets in clear; use https, or set allow_http = true"),
        ("http://192.0.2.7/scim", "http sends secrets in clear; use https, or set allow_http = true"),
        ("http://localhost.crm.example/scim", "http sends secrets in clear; use https, or set allow_http = true"),
    ],
)
def test_bad_addresses_are_refused_without_repeating_them(write, address, told):
    """An address that is none, holds a secret, or would send one in clear is an error."""
    path = write(f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "{address}"\n')

    assert errors(path) == [f"application[1] (crm).base_url: {told}"]
    assert "hunter2" not in refusal(path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "crm.localhost"])
def test_this_machine_may_be_reached_by_http(write, host):
    """Plain http needs no permission where it never leaves the machine."""
    path = write(f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "http://{host}/scim"\n')

    assert config_file.load(path).applications[0].base_url == f"http://{host}/scim"
