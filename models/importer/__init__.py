from networks.requirements import require

require()
