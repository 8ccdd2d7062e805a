"""`python -m benchmarks [NAME ...] [options]`: the benches named, or all of them, each in a process of its own."""

import subprocess
import sys

BENCHES = ("memory", "redis", "desk", "workers", "slack_ack", "discord_load")


def main() -> int:
    named = [argument for argument in sys.argv[1:] if argument in BENCHES]
    options = [argument for argument in sys.argv[1:] if argument not in BENCHES]
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options]).returncode for name in named or BENCHES
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
