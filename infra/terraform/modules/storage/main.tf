# Three buckets with different lives: artifacts of runs, datasets and checkpoints,
# and the files of registered models.
locals {
  buckets = {
    pipelines = { retention_days = 180, versioned = false }
    data      = { retention_days = 0, versioned = true }
    mlflow    = { retention_days = 0, versioned = true }
  }
}

resource "google_storage_bucket" "this" {
  for_each = local.buckets

  project                     = var.project
  name                        = "${var.project}-${var.name}-${each.key}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = each.value.versioned
  }
  soft_delete_policy {
    retention_duration_seconds = 604800
  }
  dynamic "lifecycle_rule" {
    for_each = each.value.retention_days > 0 ? [each.value.retention_days] : []
    content {
      condition {
        age = lifecycle_rule.value
      }
      action {
        type = "Delete"
      }
    }
  }
  dynamic "lifecycle_rule" {
    for_each = each.value.versioned ? [30] : []
    content {
      condition {
        days_since_noncurrent_time = lifecycle_rule.value
      }
      action {
        type = "Delete"
      }
    }
  }
}

# Checkpoints of finished runs are worth nothing after a while.
resource "google_storage_bucket" "checkpoints" {
  project                     = var.project
  name                        = "${var.project}-${var.name}-checkpoints"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  lifecycle_rule {
    condition {
      age = 30
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_storage_bucket_iam_member" "trainer" {
  for_each = {
    pipelines   = google_storage_bucket.this["pipelines"].name
    data        = google_storage_bucket.this["data"].name
    checkpoints = google_storage_bucket.checkpoints.name
  }

  bucket = each.value
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.trainer}"
}

resource "google_storage_bucket_iam_member" "mlflow" {
  bucket = google_storage_bucket.this["mlflow"].name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${var.mlflow}"
}
