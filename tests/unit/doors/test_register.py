"""`python -m deployments.register`: what is no address, or goes nowhere, registers nothing."""

import sys

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import register

NOBODY_LISTENS = "http://127.0.0.1:1/api"
"""Whoever asks this server anything fails."""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), 2), (("--help",), 0), (("-x",), 2), (("ftp://heal",), 2), (("https://",), 2), (("http://[",), 2)],
)
def test_what_is_no_address_registers_nothing_and_says_how(
    arguments: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["register", *arguments])
    with temporary_settings({PREFECT_API_URL: NOBODY_LISTENS}):
        assert register.main() == code
    assert "".join(capsys.readouterr()) == register.USAGE


def test_without_a_prefect_server_none_is_started_to_register_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["register", "http://127.0.0.1:4210"])
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert register.main() == 2
    assert "PREFECT_API_URL" in capsys.readouterr().err
