"""python -m qonys.web.jobs HOME JOB: the process of one run. The server starts it; settings come as QONYS_WEB_ variables."""

from __future__ import annotations

import sys
from pathlib import Path

from qonys.web.jobs.worker import run
from qonys.web.settings import settings

if __name__ == "__main__":
    sys.exit(run(settings(Path(sys.argv[1])), sys.argv[2]))
