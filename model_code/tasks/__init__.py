"""One function a task: from the texts and paths of a door to one call of a room.

A component calls one of these and stores what it returns beside the artifact.
Everything it returns is plain: numbers, texts, and `summary`, a few words for a
person. `work_seconds` is the time inside the work itself, without imports.
"""
