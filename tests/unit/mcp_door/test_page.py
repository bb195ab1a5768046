"""docs/mcp.md names exactly the tools that there are, with their arguments and first sentences."""

from pathlib import Path

from tests.unit.mcp_door.shop import opened

PAGE = Path(__file__).parents[3] / "docs" / "mcp.md"


def test_table_of_the_page_is_what_the_server_offers(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        rows = [
            f"| `{tool.name}` | {', '.join(f'`{name}`' for name in tool.input_schema['properties'])} | "
            f"{tool.description.split('. ')[0].rstrip('.')} |"
            for tool in shop.tools()
        ]
    assert [line for line in PAGE.read_text().splitlines() if line.startswith("| `")] == rows
