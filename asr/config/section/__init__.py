"""The base of all sections of a recipe; a folder of its own, below config and config/models."""

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, numbers are finite, and values are never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def type_if_absent(name: str) -> BeforeValidator:
    """For a section with several types: makes it of type `name` if it has no `type`."""

    def with_type(value: object) -> object:
        return {"type": name, **value} if isinstance(value, dict) else value

    return BeforeValidator(with_type)
