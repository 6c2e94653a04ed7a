variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Region of everything that has one."
}

variable "operators" {
  type        = list(string)
  description = "Address ranges that may reach the control plane."
}

variable "email" {
  type        = string
  description = "Who is told of alerts."
}

variable "mlflow_host" {
  type        = string
  description = "Public host of the tracking server, behind its proxy."
}

variable "billing_account" {
  type        = string
  description = "Billing account of the project."
}

variable "monthly_usd" {
  type        = number
  description = "What a month may cost before somebody is told."
}

variable "gpu_pools" {
  type = map(object({
    machine     = string
    accelerator = string
    count       = number
    nodes       = number
    spot        = bool
    zones       = list(string)
  }))
  description = "GPU pools by name."
}

variable "tpu_pools" {
  type = map(object({
    machine  = string
    topology = string
    hosts    = number
    spot     = bool
    zone     = string
  }))
  description = "TPU pools by name."
}
