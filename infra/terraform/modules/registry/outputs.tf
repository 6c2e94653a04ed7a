output "repository" {
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.name}"
  description = "What an image's name starts with; `_REPOSITORY` of cloudbuild.yaml."
}
