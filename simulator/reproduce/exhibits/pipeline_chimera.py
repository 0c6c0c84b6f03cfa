"""Figure 12: ADA-GP over Chimera."""

from simulator.reproduce.pipeline_timelines import PipelineTimeline

EXHIBIT = PipelineTimeline(
    key="fig12", rank=120, name="Chimera", schedule="chimera", title="Figure 12: structure of ADA-GP over Chimera"
)
