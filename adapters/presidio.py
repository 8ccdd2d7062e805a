"""Presidio, an optional recogniser: names, places and whatever else it knows, found by a language model of spaCy."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.masking_settings import PersonalDataSettings
from core.ports import Found

LEAST_SCORE = 0.4
"""How sure Presidio has to be, from 0 to 1."""


class PresidioRecogniser:
    """The `core.ports.Recogniser` over one of Presidio's analyzers; its entity PERSON is the kind `person`."""

    def __init__(self, analyzer: Any, entities: Iterable[str], *, language: str) -> None:  # noqa: ANN401 - untyped there
        """Nothing is loaded here."""
        self._analyzer = analyzer
        self._entities = sorted(entities)
        self._language = language

    def find(self, text: str) -> Iterable[Found]:
        """What Presidio finds in a text."""
        results = self._analyzer.analyze(
            text=text, language=self._language, entities=self._entities, score_threshold=LEAST_SCORE
        )
        return [Found(result.entity_type.lower(), result.start, result.end) for result in results]


def open_presidio(told: PersonalDataSettings) -> PresidioRecogniser | None:
    """Load Presidio with its language model, seconds of work; None where the operator asks nothing of it.

    Raises ConfigError where the package, its model or one of the entities is missing.
    """
    if not told.presidio:
        return None
    # Large, and an extra: imported where it is asked for.
    try:
        presidio, engines = import_module("presidio_analyzer"), import_module("presidio_analyzer.nlp_engine")
        spacy = import_module("spacy")
    except ImportError:
        raise ConfigError(
            "personal_data.presidio: Presidio is not installed: `pip install 'deskmate[presidio]'`"
        ) from None
    model, language = told.presidio_model, told.presidio_language
    # Presidio itself would download what is missing, in the middle of a start.
    if not (spacy.util.is_package(model) or Path(model).is_dir()):
        raise ConfigError(
            f"personal_data.presidio_model: {model!r} is not installed: `python -m spacy download {model}`"
        )
    models = [{"lang_code": language, "model_name": model}]
    provider = engines.NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    analyzer = presidio.AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=[language])
    entities = {name.upper() for name in told.presidio}
    known = set(analyzer.get_supported_entities(language))
    if unknown := entities - known:
        raise ConfigError(
            f"personal_data.presidio: no such entity {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    return PresidioRecogniser(analyzer, entities, language=language)
