"""Check the parts of an installed extension package as the project checks its own.

In a test::

    from adagp_sim.testing import check_extension

    def test_my_parts():
        check_extension("my-package")

or at once: ``python -m adagp_sim.testing my-package``.
"""

import sys

from simulator.testing.ladder import check_extension
from workloads.foundation.errors import InputError

__all__ = ["check_extension"]


def main() -> None:
    """Check the packages that the command line names; end with 1 where a check fails, and 2 where one is refused."""
    try:
        if not sys.argv[1:]:
            raise InputError("adagp_sim.testing", "", "no package is named", "python -m adagp_sim.testing PACKAGE")
        for package in sys.argv[1:]:
            for line in check_extension(package):
                print(line)
    except (InputError, AssertionError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)


if __name__ == "__main__":
    main()
