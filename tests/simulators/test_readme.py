import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "simulators"


SAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("sample", SAMPLES, ids=["slack", "discord"])
async def test_the_sample_runs(sample, monkeypatch):
    # The sample sets the library's addresses; this puts them back.
    monkeypatch.setattr("discord.http.Route.BASE", "")
    monkeypatch.setattr("discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", "")
    scope = {}
    exec(compile(sample, "README.md", "exec"), scope)
    await next(call for name, call in scope.items() if name.startswith("test_"))()


def test_simulators_import_nothing_of_the_app_under_test():
    imports = re.compile(r"^\s*(?:from|import) (core|adapters|bots|deskmate)\b", re.MULTILINE)
    assert [path for path in ROOT.rglob("*.py") if imports.search(path.read_text())] == []
