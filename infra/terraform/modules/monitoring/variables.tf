variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "namespace" {
  type        = string
  description = "Kubernetes namespace whose logs are watched."
}

variable "email" {
  type        = string
  description = "Who is told."
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
