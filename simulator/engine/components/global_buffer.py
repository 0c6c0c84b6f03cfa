"""The global buffer as an array's DMA sees it: two halves for what comes in, two for what goes out."""

import simpy


class BufferShare:
    """The part of the global buffer that serves one array, double-buffered both ways."""

    def __init__(self, env: simpy.Environment) -> None:
        self.operand_halves = simpy.Resource(env, capacity=2)
        self.result_halves = simpy.Resource(env, capacity=2)
