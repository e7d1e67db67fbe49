"""Every field that the SDK reads is a field of ours."""

from __future__ import annotations

import elevenlabs.types
import pytest
from elevenlabs.core.unchecked_base_model import UncheckedBaseModel

from kbtui import models
from kbtui.models import Model
from tests.test_models import OURS

ALSO_OURS = {
    "AgentKnowledgeBaseRagDocumentResponseModel": "RetrievedDocument",
    "AgentKnowledgeBaseRagListingEntryResponseModel": "ListingEntry",
    "AgentKnowledgeBaseRagListingResponseModel": "AgentListing",
}
"""Models of the SDK that are newer than the published contract."""


@pytest.mark.parametrize("name", sorted({**OURS, **ALSO_OURS}))
def test_every_field_that_the_sdk_reads_is_a_field(name: str) -> None:
    theirs = getattr(elevenlabs.types, name.replace("RAG", "Rag").replace("URL", "Url"))
    ours = getattr(models, {**OURS, **ALSO_OURS}[name])
    assert issubclass(theirs, UncheckedBaseModel) and issubclass(ours, Model)
    missing = set(theirs.model_fields) - set(ours.model_fields)
    assert not missing
