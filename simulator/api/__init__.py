"""What `adagp_sim` offers: functions for runs, machines, traces and studies, in Python's words."""
