variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "namespace" {
  type        = string
  description = "Kubernetes namespace of the environment."
}
