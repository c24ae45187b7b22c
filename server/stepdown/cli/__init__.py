"""Turns a command line into an action and a clean exit. Refuses to decide anything a server decides."""
