import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "simulators"


async def test_the_sample_runs():
    sample = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    scope = {}
    exec(compile(sample, "README.md", "exec"), scope)
    await scope["test_a_question_is_answered"]()


def test_simulators_import_nothing_of_the_app_under_test():
    imports = re.compile(r"^\s*(?:from|import) (core|adapters|bots|deskmate)\b", re.MULTILINE)
    assert [path for path in ROOT.rglob("*.py") if imports.search(path.read_text())] == []
