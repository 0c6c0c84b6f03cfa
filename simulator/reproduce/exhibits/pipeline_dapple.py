"""Figure 11: ADA-GP over DAPPLE."""

from simulator.reproduce.pipeline_timelines import PipelineTimeline

EXHIBIT = PipelineTimeline(
    key="fig11", rank=110, name="DAPPLE", schedule="dapple", title="Figure 11: structure of ADA-GP over DAPPLE"
)
