# Environment dev: the modules with its sizes. State lies in a bucket named at
#   terraform init -backend-config=bucket=PROJECT-terraform
terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
  backend "gcs" {
    prefix = "effnetv2/dev"
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

locals {
  name      = "effnetv2-dev"
  namespace = "effnetv2-dev"
}

module "identity" {
  source    = "../../modules/identity"
  project   = var.project
  namespace = local.namespace
}

module "network" {
  source  = "../../modules/network"
  project = var.project
  region  = var.region
  name    = local.name
}

module "storage" {
  source  = "../../modules/storage"
  project = var.project
  region  = var.region
  name    = local.name
  trainer = module.identity.emails["trainer"]
  mlflow  = module.identity.emails["mlflow"]
}

module "registry" {
  source  = "../../modules/registry"
  project = var.project
  region  = var.region
  name    = local.name
  readers = { nodes = module.identity.emails["nodes"] }
  builder = module.identity.emails["builder"]
}

module "database" {
  source              = "../../modules/database"
  project             = var.project
  region              = var.region
  name                = local.name
  network             = module.network.network
  tier                = "db-custom-1-3840"
  availability        = "ZONAL"
  deletion_protection = false
  mlflow              = module.identity.emails["mlflow"]
}

module "cluster" {
  source               = "../../modules/cluster"
  project              = var.project
  name                 = local.name
  location             = var.zone
  network              = module.network.network
  subnetwork           = module.network.subnetwork
  operators            = var.operators
  node_service_account = module.identity.emails["nodes"]
  deletion_protection  = false
  cpu_nodes            = 4
  gpu_pools            = var.gpu_pools
  tpu_pools            = var.tpu_pools
}

module "monitoring" {
  source          = "../../modules/monitoring"
  project         = var.project
  namespace       = local.namespace
  email           = var.email
  mlflow_host     = var.mlflow_host
  billing_account = var.billing_account
  monthly_usd     = var.monthly_usd
}
