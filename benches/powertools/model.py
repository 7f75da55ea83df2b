"""An event on the bus, and what must be true of it."""

from typing import Annotated, Literal

from aws_lambda_powertools.utilities.parser.models import EventBridgeModel
from pydantic import AwareDatetime, BaseModel, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Data(BaseModel):
    to: list[Name]
    title: str
    message: str


class CloudEvent(BaseModel):
    """Source: CloudEvents 1.0, "Context Attributes"."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Name
    time: AwareDatetime
    subject: Name | None = None
    tenant: Name | None = None
    datacontenttype: Name | None = None
    data: Data


class BusEvent(EventBridgeModel):
    detail: CloudEvent
