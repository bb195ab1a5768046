"""Which distribution provides a Python module, where the two have different names.

The names are those that the projects give in their own installation instructions on the Python Package Index.
"""

import re
import sys
from collections.abc import Mapping
from types import MappingProxyType

_DISTRIBUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "attr": "attrs",
        "bs4": "beautifulsoup4",
        "Crypto": "pycryptodome",
        "cv2": "opencv-python",
        "dateutil": "python-dateutil",
        "discord": "discord.py",
        "django_filters": "django-filter",
        "docx": "python-docx",
        "dotenv": "python-dotenv",
        "fitz": "PyMuPDF",
        "flask_cors": "Flask-Cors",
        "flask_sqlalchemy": "Flask-SQLAlchemy",
        "git": "GitPython",
        "github": "PyGithub",
        "gitlab": "python-gitlab",
        "jose": "python-jose",
        "jwt": "PyJWT",
        "kafka": "kafka-python",
        "ldap": "python-ldap",
        "magic": "python-magic",
        "markdown": "Markdown",
        "MySQLdb": "mysqlclient",
        "OpenSSL": "pyOpenSSL",
        "PIL": "Pillow",
        "pkg_resources": "setuptools",
        "pptx": "python-pptx",
        "psycopg2": "psycopg2-binary",
        "pytest_asyncio": "pytest-asyncio",
        "pytest_cov": "pytest-cov",
        "pytest_mock": "pytest-mock",
        "rest_framework": "djangorestframework",
        "ruamel": "ruamel.yaml",
        "serial": "pyserial",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
        "slack_sdk": "slack-sdk",
        "slugify": "python-slugify",
        "socks": "PySocks",
        "telegram": "python-telegram-bot",
        "usb": "pyusb",
        "win32api": "pywin32",
        "yaml": "PyYAML",
        "zmq": "pyzmq",
    }
)
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def top_module(module: str) -> str | None:
    """The top-level package of a dotted module name, `None` when it is no module name."""
    return module.partition(".")[0] if _MODULE.fullmatch(module) else None


def in_standard_library(top: str) -> bool:
    """Whether Python itself brings the module."""
    return top in sys.stdlib_module_names


def distribution_of(top: str) -> tuple[str, bool]:
    """The distribution that provides a top-level module, and whether that is known and not only of the same name."""
    known = _DISTRIBUTIONS.get(top)
    return (known, True) if known else (top, False)


def same_distribution(one: str, other: str) -> bool:
    """Whether two names mean the same distribution (https://peps.python.org/pep-0503/#normalized-names)."""
    return _normal(one) == _normal(other)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
