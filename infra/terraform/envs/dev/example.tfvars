# Copy to terraform.tfvars (which git ignores) and put in your own.
project         = "PROJECT"
region          = "europe-west4"
zone            = "europe-west4-a"
operators       = ["203.0.113.0/24"]
email           = "operators@example.com"
mlflow_host     = "mlflow.dev.example.com"
billing_account = "000000-000000-000000"
monthly_usd     = 300
gpu_pools = {
  l4 = {
    machine     = "g2-standard-8"
    accelerator = "nvidia-l4"
    count       = 1
    nodes       = 1
    spot        = true
    zones       = ["europe-west4-a"]
  }
}
tpu_pools = {}
