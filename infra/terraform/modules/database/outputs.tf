output "instance" {
  value       = google_sql_database_instance.this.connection_name
  description = "For mlflow.env of the overlay."
}
