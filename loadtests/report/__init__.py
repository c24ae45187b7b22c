"""The report of a run: one page that needs nothing from elsewhere, a picture per scenario, and the figures as JSON."""
