output "network" {
  value       = google_compute_network.this.id
  description = "The network, once services can be peered with it."
  depends_on  = [google_service_networking_connection.this]
}

output "subnetwork" {
  value       = google_compute_subnetwork.nodes.id
  description = "Where nodes live, with the ranges `pods` and `services`."
}
