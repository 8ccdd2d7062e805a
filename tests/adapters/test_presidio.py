"""Presidio behind the desk's port: a stand-in of its interface, and the real package where that is installed."""

import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest
from agents.testing import ScriptedModel, assistant_message

from adapters.presidio import open_presidio
from bots.assemble import open_desk
from core.config import check_settings
from core.errors import ConfigError
from core.models import Profile, UserMessage
from tests.core.talk import Street, place

NAME = "Alice Archer"


@dataclass
class Result:
    entity_type: str
    start: int
    end: int
    score: float


class Analyzer:
    """What the desk uses of `AnalyzerEngine`, with its names and types; it knows one person."""

    def __init__(self, *, nlp_engine, supported_languages):
        self.engine, self.languages = nlp_engine, supported_languages
        self.asked = []

    def get_supported_entities(self, language=None):
        return ["LOCATION", "PERSON", "US_SSN"]

    def analyze(self, text, language, entities=None, score_threshold=None):
        assert language in self.languages
        self.asked.append((text, entities))
        at = text.find(NAME)
        return [Result("PERSON", at, at + len(NAME), 0.85)] if at >= 0 and "PERSON" in entities else []


@pytest.fixture
def standing_in(monkeypatch):
    presidio, engines, spacy = (ModuleType(name) for name in ("presidio_analyzer", "engines", "spacy"))
    presidio.AnalyzerEngine = Analyzer
    engines.NlpEngineProvider = lambda nlp_configuration: SimpleNamespace(create_engine=lambda: nlp_configuration)
    spacy.util = SimpleNamespace(is_package=lambda name: name == "en_core_web_lg")
    for name, module in {
        "presidio_analyzer": presidio,
        "presidio_analyzer.nlp_engine": engines,
        "spacy": spacy,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)


def told(**settings):
    return check_settings({"personal_data": settings})


@pytest.mark.usefixtures("standing_in")
async def test_a_kind_that_presidio_finds_is_masked_like_the_desks_own(monkeypatch):
    model = ScriptedModel([[assistant_message("Hello <PERSON_1>.")]])
    monkeypatch.setattr("core.llm.model_of", lambda settings: model)
    street = Street()
    async with open_desk(told(presidio={"PERSON": "mask_before_model"}), [street], serving=False) as desk:
        await desk.accept(UserMessage("m1", place("alice"), f"I am {NAME}", Profile("alice")))
        await desk.drain()

    assert street.posted[0].text == f"Hello {NAME}."
    assert NAME not in str(model.calls)


@pytest.mark.usefixtures("standing_in")
async def test_what_presidio_finds_can_be_kept_from_the_store_too(monkeypatch):
    model = ScriptedModel([[assistant_message("Hello.")]])
    monkeypatch.setattr("core.llm.model_of", lambda settings: model)
    async with open_desk(told(presidio={"PERSON": "mask_before_storage"}), [Street()], serving=False) as desk:
        await desk.accept(UserMessage("m1", place("alice"), f"I am {NAME}", Profile("alice")))
        await desk.drain()
        (item, _) = await desk.items_at(place("alice"))

    assert item["content"] == "I am [person removed]"


def test_presidio_is_left_alone_where_nothing_is_asked_of_it():
    assert open_presidio(told().personal_data) is None


def test_a_missing_presidio_stops_the_start_with_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(ConfigError, match=r"pip install 'deskmate\[presidio\]'"):
        open_presidio(told(presidio={"PERSON": "keep"}).personal_data)


@pytest.mark.usefixtures("standing_in")
@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"presidio_model": "xx_none"},
            "presidio_model: 'xx_none' is not installed: `python -m spacy download xx_none`",
        ),
        ({"presidio": {"SHOE_SIZE": "keep"}}, "no such entity SHOE_SIZE; there are LOCATION, PERSON, US_SSN"),
    ],
)
def test_a_missing_model_or_entity_stops_the_start_with_its_name(settings, line):
    with pytest.raises(ConfigError) as error:
        open_presidio(told(**{"presidio": {"PERSON": "keep"}} | settings).personal_data)
    assert line in str(error.value)


def test_the_real_presidio_is_asked_as_the_stand_in_is(tmp_path):
    pytest.importorskip("presidio_analyzer")
    import spacy

    language = spacy.blank("en")
    language.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": NAME}])
    language.to_disk(tmp_path / "model")
    settings = told(presidio={"PERSON": "keep", "US_SSN": "keep"}, presidio_model=str(tmp_path / "model"))

    found = open_presidio(settings.personal_data).find(f"I am {NAME}, born 1990")

    assert [(one.kind, one.start, one.end) for one in found] == [("person", 5, 5 + len(NAME))]
