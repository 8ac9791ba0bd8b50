"""TextFSM templates for tables, named ``<platform>_<table>.textfsm``; each ends in an error for an unknown line."""
