"""Doors in: the only room that reads files."""
