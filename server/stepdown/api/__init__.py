"""Generated protocol code and nothing else: made from proto/, committed, checked fresh. Refuses every hand-made line."""
