"""The sets beside MD Anderson: each a table of rows asked of a whole panel, the first that holds decides."""
