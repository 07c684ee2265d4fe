"""MD Anderson 2010 a second time: written from docs/criteria.md alone, slow and obvious, to compare with."""
