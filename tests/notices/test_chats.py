"""Chats and webhooks: what arrives, and what a hostile name cannot do there."""

from pathlib import Path

import pytest
from listeners import Http
from receivers import CHAT
from standardwebhooks import Webhook
from world import EVIL, begun, evil, finding


def test_slack_gets_texts_without_markup(chat: Http, tmp_path: Path) -> None:
    """Only plain_text elements; in the notification, & < and > are escaped; a reason brings no e-mail."""
    world = begun(tmp_path, CHAT)
    world.scan([evil(n, reason=f"{EVIL} boss@acme.example") for n in range(1, 120)])
    world.tell()
    message = chat.posts[0].json
    texts = [block.get("text") or block["elements"][0] for block in message["blocks"]]

    assert {text["type"] for text in texts} == {"plain_text"}
    assert all(len(text["text"]) <= 3000 for text in texts)
    assert len(message["blocks"]) <= 50
    assert message["text"].startswith("orphanscan, Acme &lt;&amp;&gt; *bold*:")
    assert "boss@" not in chat.posts[0].body.decode()
    assert "69 more are not listed here" in texts[-2]["text"]


def test_teams_gets_text_runs_only(chat: Http, tmp_path: Path) -> None:
    """A RichTextBlock knows no Markdown, and the message stays below what Teams takes."""
    world = begun(tmp_path, CHAT.replace("slack", "teams"))
    world.scan([evil(n) for n in range(1, 120)])
    world.tell()
    card = chat.posts[0].json["attachments"][0]["content"]

    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    assert len(chat.posts[0].body) < 28_000


def test_a_webhook_is_verified_by_the_library_that_its_standard_offers(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Id, time and body are under the signature; one changed byte is noticed."""
    secret = "whsec_" + "QUJD" * 11
    monkeypatch.setenv("URL", listener.url)
    monkeypatch.setenv("KEY", secret)
    hook = '[[notify]]\nid = "hook"\ntype = "webhook"\nurl = { env = "URL" }\nsecret = { env = "KEY" }\n'
    world = begun(tmp_path, hook)
    world.scan([evil()])
    world.tell()
    (sent,) = listener.posts

    assert Webhook(secret).verify(sent.body, dict(sent.headers))["schema"] == "orphanscan.notice/1"
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secret).verify(sent.body.replace(b"high", b"info"), dict(sent.headers))
    monkeypatch.setenv("KEY", "short")
    world.scan([finding(2)])
    assert "openssl rand" in world.tell()["hook"].detail
