"""Figure 10: ADA-GP over GPipe."""

from simulator.reproduce.pipeline_timelines import PipelineTimeline

EXHIBIT = PipelineTimeline(
    key="fig10", rank=100, name="GPipe", schedule="gpipe", title="Figure 10: structure of ADA-GP over GPipe"
)
