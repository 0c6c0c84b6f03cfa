"""Pipeline schedules, one file each; every one has an object `SCHEDULE`, see `simulator/pipelines/schedule.py`."""
