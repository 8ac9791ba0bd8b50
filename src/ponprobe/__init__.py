"""Accept newly built fibre-to-the-home plant by asking the network itself."""
