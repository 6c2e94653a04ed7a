variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "name" {
  type        = string
  description = "Name of the cluster."
}

variable "location" {
  type        = string
  description = "Region, or zone, of the control plane."
}

variable "network" {
  type        = string
  description = "Network of the nodes."
}

variable "subnetwork" {
  type        = string
  description = "Subnetwork with the ranges `pods` and `services`."
}

variable "operators" {
  type        = list(string)
  description = "Address ranges that may reach the control plane."
}

variable "node_service_account" {
  type        = string
  description = "Email of the account of the nodes; it may pull images and write logs."
}

variable "deletion_protection" {
  type        = bool
  description = "Whether Terraform refuses to delete the cluster."
}

variable "cpu_machine" {
  type        = string
  default     = "n2-standard-16"
  description = "Machine of the CPU pool; must fit the largest row of pipelines/resources.py."
}

variable "cpu_nodes" {
  type        = number
  description = "CPU nodes at most."
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
  default     = {}
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
  default     = {}
  description = "TPU pools by name; `hosts` of a topology as model_code/planning counts them."
}
