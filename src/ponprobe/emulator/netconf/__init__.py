"""NETCONF as an OLT with the Broadband Forum's models speaks it.

The server itself (``netconf.server``) needs lxml; ``netconf.settings`` does not, so that scenarios load without.
"""
