variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Region of the subnetwork."
}

variable "name" {
  type        = string
  description = "Name of the network."
}
