"""How each database is reached: driver, encryption, a transaction that can only read, a limit for statements."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from scanner import secrets
from scanner.collectors import origin
from scanner.config import Application
from scanner.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from sqlalchemy import Engine

_CONNECT_SECONDS = 30
_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg", "postgresql"),
    "mysql": ("mysql+pymysql", "pymysql", "mysql"),
    "mssql": ("mssql+pyodbc", "pyodbc", "sqlserver"),
    "oracle": ("oracle+oracledb", "oracledb", "oracle"),
}
"""Scheme of the URL -> SQLAlchemy's name, the module that must be there, the extra that brings it."""
_BEGIN: Mapping[str, tuple[str, ...]] = {
    "mysql": (
        "set transaction isolation level repeatable read, read only",
        "start transaction with consistent snapshot",
    ),
    "oracle": ("set transaction read only",),
}
"""What begins a snapshot that can only be read, where SQLAlchemy has no option for it."""


def engine_of(app: Application) -> "Engine":
    """Return an engine whose connections can only read; raises SourceError or ConfigError."""
    try:
        import sqlalchemy
    except ImportError:
        raise SourceError(f"databases need a driver: pip install 'orphanscan[{_extra(app)}]'") from None
    if app.type == "sqlite":
        return _sqlite(app)
    address = urlsplit(app.database.url or "")
    name, module, extra = _DRIVERS[address.scheme]
    where = origin.of(app.database.url or "", any_scheme=True)
    is_clear = app.allow_http or (where is not None and where.is_loopback)
    url = sqlalchemy.URL.create(
        name,
        username=app.auth.username,
        password=secrets.read(app.auth.secret) if app.auth.secret else None,
        host=address.hostname,
        port=address.port,
        database=unquote(address.path.strip("/")) or None,
    )
    options: dict[str, Any] = _OPTIONS[address.scheme](app, is_clear)
    if address.scheme == "mssql":
        url = url.update_query_dict({key: str(value) for key, value in options.pop("query").items()})
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, hide_parameters=True, **options)
    except ImportError:
        raise SourceError(f"the driver {module} is missing: pip install 'orphanscan[{extra}]'") from None
    begin = _BEGIN.get(address.scheme, ())

    def start(con: "sqlalchemy.Connection") -> None:
        for statement in begin:
            con.exec_driver_sql(statement)

    sqlalchemy.event.listen(engine, "begin", start)
    return engine


def _extra(app: Application) -> str:
    scheme = urlsplit(app.database.url or "").scheme
    return _DRIVERS[scheme][2] if scheme in _DRIVERS else "sqlite"


def _sqlite(app: Application) -> "Engine":
    import sqlalchemy

    path = app.path
    if path is None or not path.is_file():
        raise SourceError(f"{path.name if path else 'path'} is not there")

    def connect() -> sqlite3.Connection:
        # mode=ro: the file is opened for reading, and is not made where it does not exist.
        con = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_CONNECT_SECONDS)
        con.execute("pragma query_only = on")
        con.execute("begin")  # one snapshot for all statements
        return con

    return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=sqlalchemy.NullPool, hide_parameters=True)


def _postgresql(app: Application, is_clear: bool) -> dict[str, Any]:
    # row_security off: a policy that would hide rows is an error instead (PostgreSQL, "Row Security Policies").
    milliseconds = int(app.database.statement_seconds * 1000)
    settings = f"-c statement_timeout={milliseconds} -c row_security=off -c default_transaction_read_only=on"
    connect = {"options": settings, "connect_timeout": _CONNECT_SECONDS, "application_name": "orphanscan"}
    if not is_clear:
        connect |= {"sslmode": "verify-full", "sslrootcert": str(app.ca_file or "system")}
    elif app.ca_file:
        connect |= {"sslmode": "verify-full", "sslrootcert": str(app.ca_file)}
    return {
        "connect_args": connect,
        "isolation_level": "REPEATABLE READ",
        "execution_options": {"postgresql_readonly": True},
    }


def _mysql(app: Application, is_clear: bool) -> dict[str, Any]:
    connect: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": int(app.database.statement_seconds)}
    if app.ca_file or not is_clear:
        connect |= {"ssl_ca": str(app.ca_file) if app.ca_file else None}
        connect |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
    return {"connect_args": connect}


def _mssql(app: Application, is_clear: bool) -> dict[str, Any]:
    if app.ca_file:
        raise ConfigError("ca_file is not used with mssql: put the authority into the system's trust store")
    query = {"driver": "ODBC Driver 18 for SQL Server", "Encrypt": "no" if is_clear else "yes"}
    query |= {"TrustServerCertificate": "no", "ApplicationIntent": "ReadOnly"}
    connect = {"timeout": int(app.database.statement_seconds)}
    return {"query": query, "connect_args": connect, "isolation_level": "SNAPSHOT"}


def _oracle(app: Application, is_clear: bool) -> dict[str, Any]:
    connect: dict[str, Any] = {"tcp_connect_timeout": _CONNECT_SECONDS}
    if app.ca_file or not is_clear:
        connect |= {"protocol": "tcps", "ssl_server_dn_match": True}
    if app.ca_file:
        connect["wallet_location"] = str(app.ca_file.parent)
    return {"connect_args": connect}


_OPTIONS: Mapping[str, Callable[[Application, bool], dict[str, Any]]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mssql": _mssql,
    "oracle": _oracle,
}
