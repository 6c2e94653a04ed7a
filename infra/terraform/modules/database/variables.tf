variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Region of the instance."
}

variable "name" {
  type        = string
  description = "Name of the instance."
}

variable "network" {
  type        = string
  description = "Network that the private address is in."
}

variable "tier" {
  type        = string
  description = "Machine type of the instance."
}

variable "availability" {
  type        = string
  description = "ZONAL, or REGIONAL with a standby."

  validation {
    condition     = contains(["ZONAL", "REGIONAL"], var.availability)
    error_message = "availability is ZONAL or REGIONAL."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether Terraform and the console refuse to delete it."
}

variable "mlflow" {
  type        = string
  description = "Email of the account that connects."
}
