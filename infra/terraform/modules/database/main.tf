# PostgreSQL for MLflow: private address only, no passwords (IAM), backups to the minute.
resource "google_sql_database_instance" "this" {
  project             = var.project
  name                = var.name
  region              = var.region
  database_version    = "POSTGRES_16"
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.tier
    availability_type           = var.availability
    deletion_protection_enabled = var.deletion_protection
    disk_autoresize             = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }
    database_flags {
      name  = "cloudsql.iam_authentication"
      value = "on"
    }
    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
    }
  }
}

resource "google_sql_database" "mlflow" {
  project  = var.project
  instance = google_sql_database_instance.this.name
  name     = "mlflow"
}

resource "google_sql_user" "mlflow" {
  project  = var.project
  instance = google_sql_database_instance.this.name
  # Cloud SQL wants the account's email without its last part.
  name = trimsuffix(var.mlflow, ".gserviceaccount.com")
  type = "CLOUD_IAM_SERVICE_ACCOUNT"
}

resource "google_project_iam_member" "mlflow" {
  for_each = toset(["roles/cloudsql.client", "roles/cloudsql.instanceUser"])

  project = var.project
  role    = each.value
  member  = "serviceAccount:${var.mlflow}"
}
