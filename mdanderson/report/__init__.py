"""Renders what is already decided; decides nothing."""
