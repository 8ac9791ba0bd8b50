"""ZTE: ZXAN (C300, C320 and their relatives) and TITAN (C600 family)."""
