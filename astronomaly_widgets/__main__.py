"""``python -m astronomaly_widgets`` is ``astronomaly-widgets``."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
