# Copy to terraform.tfvars (which git ignores) and put in your own.
project         = "PROJECT"
region          = "europe-west4"
operators       = ["203.0.113.0/24"]
email           = "operators@example.com"
mlflow_host     = "mlflow.example.com"
billing_account = "000000-000000-000000"
monthly_usd     = 5000
gpu_pools = {
  a100 = {
    machine     = "a2-highgpu-1g"
    accelerator = "nvidia-tesla-a100"
    count       = 1
    nodes       = 4
    spot        = true
    zones       = ["europe-west4-a"]
  }
}
tpu_pools = {
  v5e-8 = {
    machine  = "ct5lp-hightpu-8t"
    topology = "2x4"
    hosts    = 1
    spot     = true
    zone     = "europe-west4-b"
  }
  v5e-16 = {
    machine  = "ct5lp-hightpu-4t"
    topology = "4x4"
    hosts    = 4
    spot     = true
    zone     = "europe-west4-b"
  }
}
