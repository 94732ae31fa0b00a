"""``tomking`` and ``python -m tomking``."""

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from tomking.adapters.redaction import install
    from tomking.app.cli.shell import run
    from tomking.app.kernels import keep_compiled_kernels

    install()
    keep_compiled_kernels()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
