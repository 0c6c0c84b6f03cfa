"""Machines, traces and schedules are read from Python as from the command line, with Python's words in messages."""

from simulator.api.messages import pythonic
from simulator.machine import spec_loading
from workloads import trace

load_accelerator = pythonic(spec_loading.load_accelerator)
load_designs = pythonic(spec_loading.load_designs)
load_policy = pythonic(trace.load_policy)
load_trace = pythonic(trace.load_trace)
