"""A BIDS tree (and what people call one) -> the manifest of a cohort. Names tell what is what, tables tell when."""

from mdanderson.readers.bids_index.index import index_bids, is_bids

__all__ = ["index_bids", "is_bids"]
