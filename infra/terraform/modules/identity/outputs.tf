output "emails" {
  value       = { for key, account in google_service_account.this : key => account.email }
  description = "By kind: trainer, mlflow, nodes, builder."
}
