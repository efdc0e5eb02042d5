"""`python -m opora.cli`."""

from __future__ import annotations

from opora.cli import main

if __name__ == "__main__":
    main()
