"""Parts of the `Engine` document about what metrics can tell: blind spots, types of breach, lengths of prompts."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from slo_compiler.documents.base import Model

MetricName = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Words = Annotated[str, Field(min_length=1)]


class Unseen(StrEnum):
    """What happens to requests without that a metric need tell."""

    CLIENT_LEFT = "client-left"
    """The client closes the connection before it has the whole answer."""
    ERROR_IN_STREAM = "error-in-stream"
    """The answer fails after its status was sent."""
    KILLED = "killed"
    """The process ends between two scrapes."""


# Within a sentence.
UNSEEN_TITLES = {
    Unseen.CLIENT_LEFT: "requests that the client leaves",
    Unseen.ERROR_IN_STREAM: "errors inside a stream",
    Unseen.KILLED: "what a killed process had not shown yet",
}


class BlindSpot(Model):
    """A blind spot that SLIs may rely on.

    Attributes:
        unseen: what cannot be told.
        slis: whose events miss it; a spec that asks for availability by this engine is told so in these words.
        misleading: label to its values that look as if they told, and do not.
        says: a sentence.
    """

    unseen: Unseen
    slis: tuple[Words, ...] = ()
    misleading: dict[LabelName, tuple[Words, ...]] = Field(default_factory=dict)
    says: Words


def _spot_form(value: Any) -> str:
    return "mapping" if isinstance(value, dict | BlindSpot) else "text"


Spot = Annotated[Annotated[Words, Tag("text")] | Annotated[BlindSpot, Tag("mapping")], Discriminator(_spot_form)]


class PromptClasses(Model):
    """How requests with short and long prompts can be told apart by a label.

    Attributes:
        label: that latencies carry.
        values: that it has, or may be given, from short to long.
        says: from when on and what has to be set.
    """

    label: LabelName
    values: tuple[Words, ...] = Field(min_length=2)
    says: Words


class BreachType(StrEnum):
    """How a promise to a user is broken."""

    TTFT = "ttft"
    """The first token comes late."""
    ITL = "itl"
    """The answer stutters or crawls."""
    INCOMPLETE = "incomplete"
    """The answer began and never came to its end, or was cut."""
    TIMEOUT = "timeout"
    """The whole answer took longer than anybody waits."""
    ERROR = "error"
    """There was an error instead of an answer."""


class BreachView(Model):
    """What the metrics tell of a type of breach, beside the SLIs that are read from them.

    Attributes:
        metrics: those that show it; none where nothing does.
        says: what they show and what they miss, or why nothing shows it.
    """

    metrics: tuple[MetricName, ...] = ()
    says: Words
