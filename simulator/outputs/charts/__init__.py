"""Charts: what they show (`chart`), drawn by matplotlib (`drawn`) and as figures of Plotly (`interactive`)."""
