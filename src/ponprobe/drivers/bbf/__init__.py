"""The Broadband Forum's models (TR-383, TR-385) over NETCONF: the driver that all vendors share."""
