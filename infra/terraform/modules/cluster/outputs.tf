output "name" {
  value       = google_container_cluster.this.name
  description = "For `gcloud container clusters get-credentials`."
}
