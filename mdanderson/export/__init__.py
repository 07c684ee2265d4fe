"""Results on their way out: to a PACS, to viewers, to a trial's database. Reads what a run has left, decides nothing.

A kind of export is one function that takes a `Wish` and returns what was `Written`, and one line of `KINDS`.
"""
