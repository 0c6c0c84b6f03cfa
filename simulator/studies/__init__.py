"""Questions asked of a run: causes, counting rules of memory energy, costs to an accuracy, zero gating."""
