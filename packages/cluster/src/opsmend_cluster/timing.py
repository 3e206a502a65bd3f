"""How fast time passes in the embedded cluster."""

from pydantic import BaseModel, ConfigDict, Field


class Timing(BaseModel):
    """One number scales all: probe periods, back-offs, grace periods, deadlines are Kubernetes' own, counted in `second`s."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    second: float = Field(default=0.02, gt=0)
    """Real seconds that a Kubernetes second lasts: at 0.02 the crash back-off goes from 0.2 s to 6 s, and
    progressDeadlineSeconds: 600 passes in 12 s."""
    tick: float = Field(default=0.05, gt=0)
    """Real seconds between two rounds of the controllers while something changes. Nothing runs while nothing does."""

    def real(self, seconds: float) -> float:
        return seconds * self.second
