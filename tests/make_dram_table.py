"""Write the table of constraints into docs/dram.md: ``python tests/make_dram_table.py``."""

from pathlib import Path

from simulator.dram.constraints import ANY, CONSTRAINTS, FOUR_ACTIVATES

PAGE = Path(__file__).parents[1] / "docs" / "dram.md"
HEAD = ["| from | to | cycles | where |", "|---|---|---|---|"]


def table_rows() -> list[str]:
    """Return the lines of the table."""
    rows = [*HEAD, f"| fourth ACT before | ACT | {FOUR_ACTIVATES} | rank |"]
    for row in CONSTRAINTS:
        earlier = "any" if row.earlier == ANY else row.earlier.replace(" ", ", ")
        rows.append(f"| {earlier} | {row.later.replace(' ', ', ')} | {row.cycles} | {row.scope} |")
    return rows


def main() -> None:
    """Replace the page's table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index(HEAD[0])
    end = next(place for place in range(begin, len(lines)) if not lines[place].startswith("|"))
    PAGE.write_text("\n".join([*lines[:begin], *table_rows(), *lines[end:]]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
