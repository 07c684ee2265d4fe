"""To a PACS and back, through DICOMweb or the classic network: images of a list of patients in, SEG and SR out."""

from mdanderson.pacs.fetch import Fetched, fetch
from mdanderson.pacs.server import Server
from mdanderson.pacs.store import Stored, store
from mdanderson.pacs.wanted import Wanted, read_wanted

__all__ = ["Fetched", "Server", "Stored", "Wanted", "fetch", "read_wanted", "store"]
