"""The repository that the demo breaks: a shop with a test suite, a workflow and one vendored wheel.

Everything is made here, so that the demo needs no network: the one dependency is a wheel of three files.
"""

import base64
import hashlib
import subprocess
import zipfile
from pathlib import Path

WORKFLOW = ".github/workflows/ci.yml"

_FILES = {
    WORKFLOW: """\
name: CI
on: [push, pull_request]
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check the format
        run: ruff format --check shop tests
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Install the requirements
        run: python -m pip install --quiet --no-index --find-links wheels --target .packages -r requirements.txt
      - name: Run the tests
        env:
          PYTHONPATH: .packages
        run: python -m pytest -q -p no:cacheprovider -p no:xdist tests
""",
    ".gitignore": ".packages/\n__pycache__/\n",
    "README.md": "# Shop\n\nA small shop, to be broken and healed.\n",
    "requirements.txt": "# what the shop needs to run\ntaxrates==1.0.0\n",
    "shop/__init__.py": '"""A small shop."""\n',
    "shop/cart.py": '''\
"""Adds up a shopping cart."""

import taxrates


def subtotal(prices: list[float]) -> float:
    """The sum of the prices, without tax."""
    return round(sum(prices), 2)


def total(prices: list[float], country: str) -> float:
    """The sum of the prices with the country's tax."""
    return round(subtotal(prices) * (1 + taxrates.rate(country)), 2)
''',
    "tests/__init__.py": "",
    "tests/test_cart.py": """\
from shop.cart import subtotal, total


def test_subtotal_adds_the_prices():
    assert subtotal([1.25, 2.25]) == 3.5


def test_total_adds_the_tax():
    assert total([10.0], "DE") == 11.9


def test_an_empty_cart_costs_nothing():
    assert total([], "DE") == 0
""",
}

_MISSING_DEPENDENCY = {
    "shop/label.py": '''\
"""Prints prices for people."""

import moneyformat

from shop.cart import total


def label(prices: list[float], country: str) -> str:
    """The total as a customer reads it."""
    return moneyformat.euros(total(prices, country))
''',
    "tests/test_label.py": """\
from shop.label import label


def test_a_label_has_the_currency():
    assert label([10.0], "DE") == "11.90 EUR"
""",
}

_BAD_FORMAT = {
    "shop/coupon.py": '''\
"""Takes a coupon off a price."""


def redeem(price: float, percent: float) -> float:
    """The price less that many percent."""
    return round( price*(1-percent/100),2 )
''',
    "tests/test_coupon.py": """\
from shop.coupon import redeem


def test_a_coupon_lowers_the_price():
    assert redeem(10.0, 25) == 7.5
""",
}


class DemoRepository:
    """A git repository made for the demo."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Write the files, the wheels and the first commit."""
        self.root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        _write_wheel(
            self.root / "wheels",
            "taxrates",
            '_RATES = {"DE": 0.19}\n\n\ndef rate(country):\n    return _RATES[country]\n',
        )
        _write_wheel(self.root / "wheels", "moneyformat", 'def euros(amount):\n    return f"{amount:.2f} EUR"\n')
        self.commit("Open the shop", _FILES)

    def forget_a_dependency(self) -> str:
        """Import a package that the requirements do not name."""
        return self.commit("Print prices for people", _MISSING_DEPENDENCY)

    def misformat_a_file(self) -> str:
        """Add a file that the formatter would write otherwise."""
        return self.commit("Take coupons", _BAD_FORMAT)

    def break_a_test(self) -> str:
        """Change a function so that its test fails."""
        cart = (self.root / "shop/cart.py").read_text()
        return self.commit(
            "Speed up the subtotal", {"shop/cart.py": cart.replace("round(sum(prices), 2)", "float(len(prices))")}
        )

    def drop_the_dependency(self) -> str:
        """Take the healed requirement out again, as a careless clean-up would."""
        lines = (self.root / "requirements.txt").read_text().splitlines(keepends=True)
        kept = "".join(line for line in lines if "moneyformat" not in line)
        return self.commit("Tidy the requirements", {"requirements.txt": kept})

    def take_back_last_commit(self) -> None:
        """Revert the newest commit: what the demo does when its question was answered with no."""
        self.git("revert", "--no-edit", "HEAD")

    def commit(self, message: str, files: dict[str, str]) -> str:
        """Write the files and commit them on the branch that is checked out; returns the commit."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Run git in the repository and return what it prints."""
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout


def _write_wheel(folder: Path, name: str, source: str) -> None:
    """A pure Python wheel of one module, version 1.0.0 (the format is PEP 427)."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.0.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: healflow\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*records, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / f"{name}-1.0.0-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
