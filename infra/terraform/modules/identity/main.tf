# One account for each kind of pod, and the nodes' own; no keys.
locals {
  accounts = {
    trainer = "Tasks of pipeline runs"
    mlflow  = "Tracking server and model registry"
    nodes   = "Nodes: pull images, write logs and metrics"
    builder = "Cloud Build: build, scan and push the image, upload the pipeline"
  }
  # Kubernetes accounts of the same name act as these.
  bound = toset(["trainer", "mlflow"])
  roles = {
    "nodes-logs"    = { account = "nodes", role = "roles/logging.logWriter" }
    "nodes-metrics" = { account = "nodes", role = "roles/monitoring.metricWriter" }
    "nodes-meta"    = { account = "nodes", role = "roles/stackdriver.resourceMetadata.writer" }
    "builder-logs"  = { account = "builder", role = "roles/logging.logWriter" }
    "builder-scan"  = { account = "builder", role = "roles/ondemandscanning.admin" }
  }
}

resource "google_service_account" "this" {
  for_each = local.accounts

  project      = var.project
  account_id   = "effnetv2-${each.key}"
  display_name = each.value
}

resource "google_service_account_iam_member" "workload_identity" {
  for_each = local.bound

  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${var.namespace}/effnetv2-${each.key}]"
}

resource "google_project_iam_member" "this" {
  for_each = local.roles

  project = var.project
  role    = each.value.role
  member  = "serviceAccount:${google_service_account.this[each.value.account].email}"
}
