output "buckets" {
  value       = module.storage.buckets
  description = "For infra/environments and mlflow.env."
}

output "repository" {
  value       = module.registry.repository
  description = "For `_REPOSITORY` of cloudbuild.yaml."
}

output "cluster" {
  value       = module.cluster.name
  description = "For `gcloud container clusters get-credentials`."
}

output "database" {
  value       = module.database.instance
  description = "For mlflow.env of the overlay."
}

output "accounts" {
  value       = module.identity.emails
  description = "Emails by kind of pod."
}
