"""What some SLIs are read from beside a metric of one role: availability and completion, as an engine itself tells them."""

from pydantic import Field

from slo_compiler.documents.base import Model
from slo_compiler.documents.sight import LabelName, MetricName


class AvailabilityView(Model):
    """Availability as the engine sees it: how to tell bad requests from all of them.

    Attributes:
        total: name of the counter of all requests.
        part: name of the counter that the bad ones are in, where that is another.
        bad: label to regular expression; requests that match all of them are bad.
        matchers: label to value; other requests are neither good nor bad.
        without: label to regular expression; requests that match one of them are neither good nor bad.
    """

    total: MetricName
    part: MetricName | None = None
    bad: dict[LabelName, str] = Field(min_length=1)
    matchers: dict[LabelName, str] = Field(default_factory=dict)
    without: dict[LabelName, str] = Field(default_factory=dict)


class CompletionView(Model):
    """Answers that ended, of those that began; what left before its answer began is in neither.

    Attributes:
        began: name of the counter, or of the histogram with an observation, of each answer that began.
        ended: the same of each answer that ended.
        without: label to regular expression; of `ended`, answers that match one of them did not come to their end.
    """

    began: MetricName
    ended: MetricName
    without: dict[LabelName, str] = Field(default_factory=dict)
