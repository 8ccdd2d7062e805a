import subprocess
import sys

from tests.bots.command_line import PATIENCE, ROOT


def test_the_demo_on_discord_plays_to_its_end():
    command = [sys.executable, "-m", "bots.demo_discord"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("✓") == 6
    assert "Taken back. TKT-1002 is withdrawn." in done.stdout
    assert "Thread: what was my invoice number?" in done.stdout
