"""The image that a component names until its graph sets the real one."""

RUNTIME_IMAGE = "effnetv2-pipelines@sha256:" + "0" * 64
"""No image has this digest: a task whose graph forgot `set_container_image`
fails to start instead of running something else."""
