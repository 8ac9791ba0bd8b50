"""The acceptance process: engineering data in, test ONUs up and down, evidence, decisions; over Olt and store only."""
