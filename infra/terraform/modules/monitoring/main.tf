# What wakes somebody, and what a month may cost. Each alert has its paragraph in
# docs/operations.md, by the same name.
locals {
  alerts = {
    run-failed = {
      title  = "A pipeline run failed"
      filter = "resource.type=\"k8s_container\" AND resource.labels.namespace_name=\"${var.namespace}\" AND textPayload:\"effnetv2: \" AND severity>=ERROR"
    }
    out-of-memory = {
      title  = "A task was killed for memory"
      filter = "resource.type=\"k8s_pod\" AND resource.labels.namespace_name=\"${var.namespace}\" AND jsonPayload.reason=\"OOMKilling\""
    }
    schedule-silent = {
      title  = "A schedule could not start its run"
      filter = "resource.type=\"k8s_container\" AND resource.labels.container_name=\"ml-pipeline-scheduledworkflow\" AND severity>=ERROR"
    }
    pod-unschedulable = {
      title  = "A task waits for hardware that does not come"
      filter = "resource.type=\"k8s_pod\" AND resource.labels.namespace_name=\"${var.namespace}\" AND jsonPayload.reason=\"FailedScheduling\""
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  project      = var.project
  display_name = "effnetv2 operators"
  type         = "email"
  labels = {
    email_address = var.email
  }
}

resource "google_logging_metric" "this" {
  for_each = local.alerts

  project = var.project
  name    = "effnetv2/${each.key}"
  filter  = each.value.filter
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  project               = var.project
  display_name          = each.value.title
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.title
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.this[each.key].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_SUM"
      }
    }
  }
  documentation {
    content = "docs/operations.md#${each.key}"
  }
}

resource "google_monitoring_uptime_check_config" "mlflow" {
  project      = var.project
  display_name = "mlflow-down"
  timeout      = "10s"
  period       = "300s"

  http_check {
    path         = "/health"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }
  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project
      host       = var.mlflow_host
    }
  }
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = "effnetv2 ${var.namespace}"

  budget_filter {
    projects = ["projects/${var.project}"]
  }
  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(var.monthly_usd)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }
}
