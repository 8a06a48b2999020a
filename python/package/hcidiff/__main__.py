"""The command: `hcidiff`, or `python -m hcidiff`."""
import signal
import sys

from . import _native


def main() -> int:
    # Python would look at Ctrl-C only when the program is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.main(["hcidiff", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
