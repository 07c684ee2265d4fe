"""Response criteria: each set is a table of rules with sources."""
