# A private GKE cluster: a small pool for KFP and MLflow, and pools of CPUs, GPUs and
# TPUs for tasks that start at zero nodes.
resource "google_container_cluster" "this" {
  project    = var.project
  name       = var.name
  location   = var.location
  network    = var.network
  subnetwork = var.subnetwork

  # Pools are resources of their own.
  remove_default_node_pool = true
  initial_node_count       = 1
  deletion_protection      = var.deletion_protection
  enable_shielded_nodes    = true
  datapath_provider        = "ADVANCED_DATAPATH" # enforces network policies

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
    master_ipv4_cidr_block  = "172.16.0.0/28"
  }
  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = var.operators
      content {
        cidr_block = cidr_blocks.value
      }
    }
  }
  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }
  release_channel {
    channel = "REGULAR"
  }
  maintenance_policy {
    recurring_window {
      # Saturday night: schedules of long runs keep clear of it.
      start_time = "2026-01-03T00:00:00Z"
      end_time   = "2026-01-03T06:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA"
    }
  }
}

locals {
  oauth_scopes = ["https://www.googleapis.com/auth/cloud-platform"]
}

resource "google_container_node_pool" "services" {
  project    = var.project
  name       = "services"
  cluster    = google_container_cluster.this.id
  node_count = 1

  node_config {
    machine_type    = "e2-standard-4"
    service_account = var.node_service_account
    oauth_scopes    = local.oauth_scopes
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
  management {
    auto_repair  = true
    auto_upgrade = true
  }
}

resource "google_container_node_pool" "cpu" {
  project = var.project
  name    = "cpu"
  cluster = google_container_cluster.this.id

  autoscaling {
    total_min_node_count = 0
    total_max_node_count = var.cpu_nodes
    location_policy      = "ANY"
  }
  node_config {
    machine_type    = var.cpu_machine
    spot            = true # ingest and evaluation repeat cheaply
    disk_size_gb    = 200
    service_account = var.node_service_account
    oauth_scopes    = local.oauth_scopes
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
}

resource "google_container_node_pool" "gpu" {
  for_each = var.gpu_pools

  project        = var.project
  name           = "gpu-${each.key}"
  cluster        = google_container_cluster.this.id
  node_locations = each.value.zones

  autoscaling {
    total_min_node_count = 0
    total_max_node_count = each.value.nodes
  }
  node_config {
    machine_type    = each.value.machine
    spot            = each.value.spot
    disk_size_gb    = 200
    service_account = var.node_service_account
    oauth_scopes    = local.oauth_scopes
    guest_accelerator {
      type  = each.value.accelerator
      count = each.value.count
      gpu_driver_installation_config {
        gpu_driver_version = "DEFAULT"
      }
    }
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
}

resource "google_container_node_pool" "tpu" {
  for_each = var.tpu_pools

  project        = var.project
  name           = "tpu-${each.key}"
  cluster        = google_container_cluster.this.id
  node_locations = [each.value.zone]

  # A slice of several hosts starts and stops whole.
  autoscaling {
    total_min_node_count = 0
    total_max_node_count = each.value.hosts
    location_policy      = "ANY"
  }
  dynamic "placement_policy" {
    for_each = each.value.hosts > 1 ? [each.value.topology] : []
    content {
      type         = "COMPACT"
      tpu_topology = placement_policy.value
    }
  }
  node_config {
    machine_type    = each.value.machine
    spot            = each.value.spot
    service_account = var.node_service_account
    oauth_scopes    = local.oauth_scopes
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
}
