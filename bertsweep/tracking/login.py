"""Whether W&B knows who we are, found out without importing wandb and without reading the key."""

from __future__ import annotations

import configparser
import netrc
import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["online", "offline", "disabled"]

_KEYS = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")
_HOSTS = ("api.wandb.ai", "api.forge.coreweave.com")
"""The public W&B, under its old address and its new one."""


def settled_mode(mode: Literal["auto"] | Mode) -> Mode:
    """What `auto` comes to: WANDB_MODE if that is set, else online with a login, else offline.

    Any other mode is what the user asked for and stays.
    """
    if mode != "auto":
        return mode
    wished = os.environ.get("WANDB_MODE", "").lower()
    if wished in ("offline", "dryrun"):
        return "offline"
    if wished == "disabled":
        return "disabled"
    return "online" if login_source() else "offline"


def login_source() -> str | None:
    """Where a W&B key stands: the name of a variable or the path of a netrc file; None without."""
    for name in _KEYS:
        if os.environ.get(name):
            return name
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    try:
        entries = netrc.netrc(str(path)).hosts
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None
    return str(path) if any(entries[host][2] for host in _hosts() if host in entries) else None


def _hosts() -> tuple[str, ...]:
    """The hosts whose netrc entry counts: of WANDB_BASE_URL, of `wandb login --host`, or W&B's."""
    url = os.environ.get("WANDB_BASE_URL") or _logged_in_url()
    host = urlsplit(url).netloc if url else ""
    return _HOSTS if not host or host in _HOSTS else (host,)


def _logged_in_url() -> str | None:
    folder = Path(os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb").expanduser()
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(folder / "settings")
        return settings.get("default", "base_url", fallback=None)
    except (OSError, configparser.Error, UnicodeDecodeError):
        return None
