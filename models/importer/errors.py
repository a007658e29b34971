"""The one error of the importer."""


class CheckpointError(Exception):
    """What is wrong with a checkpoint, in one line that names the file."""
